// Starts three process groups, watches all of them and forgets the second.
import { spawn } from 'node:child_process'
import { reaper } from '../../../../src/transport/reaper.js'

const pids = ['first', 'forgotten', 'last'].map((name) => {
  const child = spawn(process.execPath, [process.argv[2]!, name], { stdio: 'ignore', detached: true })
  return child.pid!
})
for (const pid of pids) reaper.watch(pid)
reaper.forget(pids[1]!)
setInterval(() => {}, 60_000)
