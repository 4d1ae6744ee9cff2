#!/usr/bin/env node
// Only starts poolrun; the command line itself is in src/cli. This file must parse on old Nodes.
const { problem } = require('./runtime.cjs')

if (problem === undefined) start()
else refuse(problem)

function start() {
  try {
    require('./load.cjs')('main.cjs')
  } catch (error) {
    // A system error, such as too many open files, has no use for a stack.
    if (error.syscall === undefined) throw error
    refuse(`poolrun: cannot start: ${error.message}`)
  }
}

/** With 7, the code for problems of poolrun itself. */
function refuse(text) {
  console.error(text)
  process.exitCode = 7
}
