// fast-check with a seed that is the same on every run, so that an unrelated change cannot turn a test red. A failure
// prints its seed and the smallest counterexample: keep that as a named case.
import fc from 'fast-check'
import { SEED } from './random.js'

fc.configureGlobal({ seed: SEED })

export default fc
