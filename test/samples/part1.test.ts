/** Every sample: part 1 of 4, so that they run side by side. */
import { describeSamples } from '../sample.ts'

describeSamples(0, 4)
