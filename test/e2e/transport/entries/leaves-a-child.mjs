// In this process's own group: it goes along.
import { spawn } from 'node:child_process'

const child = spawn(process.execPath, [new URL('says-hello.mjs', import.meta.url).pathname, 'child'], {
  stdio: ['ignore', 'inherit', 'inherit'],
})
child.unref()
process.once('message', () => process.exit(0))
