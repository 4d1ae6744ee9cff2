// A parent that is only there to be killed: its worker is blocked for ever.
import { createForkTransport } from '../../../../src/transport/fork.js'

createForkTransport({ entry: process.argv[2]! }).spawn(() => {}, 0)
