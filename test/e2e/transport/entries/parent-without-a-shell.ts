// Watches one process group by the last program that a reaper can use; prints when that has been started.
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { PROGRAMS, Reaper } from '../../../../src/transport/reaper.js'

const [, , entry, flag] = process.argv as unknown as [string, string, string, string]
const { command, args } = PROGRAMS.at(-1)!
const reaper = new Reaper([
  { command: '/nonexistent/sh', args: [] },
  { command: '/bin/false', args: [] },
  { command: '/bin/sh', args: ['-c', 'touch "$0"; exec "$@"', flag, command, ...args] },
])
const child = spawn(process.execPath, [entry, 'blocks-worker'], { stdio: 'ignore', detached: true })
reaper.watch(child.pid!)
while (!existsSync(flag)) await pause(5)
console.log('ready')
setInterval(() => {}, 60_000)
