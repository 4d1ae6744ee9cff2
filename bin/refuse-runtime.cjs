// Loaded by the library before anything else of it, which may not even parse here.
const { problem } = require('./runtime.cjs')

if (problem !== undefined) throw new Error(problem)
