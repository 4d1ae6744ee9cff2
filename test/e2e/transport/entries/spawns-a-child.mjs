// The child is in this process's own group, so it is killed with it.
import { spawn } from 'node:child_process'
import { onceMessage } from './channel.mjs'

const child = spawn(process.execPath, [new URL('connects.mjs', import.meta.url).pathname, 'child'], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
child.unref()
onceMessage(() => process.exit(0))
