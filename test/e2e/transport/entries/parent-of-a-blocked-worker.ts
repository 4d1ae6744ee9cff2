// A parent for a test to kill. Its worker stays in a busy loop.
import { createForkTransport } from '../../../../src/transport/fork.js'

createForkTransport({ entry: process.argv[2]! }).spawn(() => {}, 0)
