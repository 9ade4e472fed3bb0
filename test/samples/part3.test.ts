/** Every sample: part 3 of 4, so that they run side by side. */
import { describeSamples } from '../sample.ts'

describeSamples(2, 4)
