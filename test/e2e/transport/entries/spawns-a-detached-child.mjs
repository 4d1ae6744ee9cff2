// The child keeps this process's stdout open and is not in its group.
import { spawn } from 'node:child_process'

const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 60_000)'], {
  stdio: ['ignore', 'inherit', 'inherit'],
  detached: true,
})
process.stdout.write(`${child.pid}\n`, () => process.exit(0))
