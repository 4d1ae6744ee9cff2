// The entry of worker processes.
require('./load.cjs')('worker.cjs')
