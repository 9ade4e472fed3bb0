/** Every sample: part 2 of 4, so that they run side by side. */
import { describeSamples } from '../sample.ts'

describeSamples(1, 4)
