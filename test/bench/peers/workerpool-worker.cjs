// The trivial task, for workerpool.
require('workerpool').worker(require('./task.cjs'))
