// The tasks for jest-worker and tinypool: a trivial one, and two that move many bytes.
exports.increment = (n) => n + 1
exports.size = (bytes) => bytes.length
exports.make = (length) => Buffer.alloc(length, 1)
