// Starts three groups, has all watched and forgets the one in the middle.
import { spawn } from 'node:child_process'
import { forgetGroup, watchGroup } from '../../../../src/transport/reaper.js'

const pids = ['first', 'forgotten', 'last'].map((name) => {
  const child = spawn(process.execPath, [process.argv[2]!, name], { stdio: 'ignore', detached: true })
  return child.pid!
})
for (const pid of pids) watchGroup(pid)
forgetGroup(pids[1]!)
setInterval(() => {}, 60_000)
