/** Every sample: part 4 of 4, so that they run side by side. */
import { describeSamples } from '../sample.ts'

describeSamples(3, 4)
