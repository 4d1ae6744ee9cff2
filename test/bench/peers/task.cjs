// The trivial task, for jest-worker and tinypool.
exports.increment = (n) => n + 1
