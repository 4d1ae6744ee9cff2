// The child holds this process's stdout open, and is in no group that is killed with it.
import { spawn } from 'node:child_process'

const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], {
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
})
process.stdout.write(`${child.pid}\n`, () => process.exit(0))
