// Loaded before anything else into each process that is to be profiled: writes its CPU profile when it ends. Node does
// not take `--cpu-prof` from NODE_OPTIONS, and a worker inherits nothing else.
const { writeFileSync } = require('node:fs')
const { Session } = require('node:inspector')
const path = require('node:path')

const session = new Session()
session.connect()
session.post('Profiler.enable')
session.post('Profiler.start')
process.once('exit', () => {
  session.post('Profiler.stop', (error, { profile } = {}) => {
    if (error === null)
      writeFileSync(path.join(process.env.PROFILE_FOLDER, `${process.pid}.json`), JSON.stringify(profile))
  })
})
