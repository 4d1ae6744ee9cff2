// Starts `echo` n times by a shell, half of them from each of two processes, one at a time in each.
import { fork, spawn } from 'node:child_process'

const [count, role] = process.argv.slice(2)
if (role === undefined) for (let i = 0; i < 2; i++) fork(process.argv[1], [count, 'half'])
else for (let i = 0; i < count / 2; i++) await command(i)

function command(i) {
  return new Promise((resolve) => {
    const stdio = ['ignore', 'pipe', 'pipe']
    const child = spawn('/bin/sh', ['-c', 'echo "$1"', 'sh', String(i)], { stdio })
    child.stdout.resume()
    child.stderr.resume()
    child.on('close', resolve)
  })
}
