// The forked entry: connects the parent's channel with a session. Imports node: and what parent and worker share, nothing
// heavier: its start is part of every run.
import { captureSystemClock } from '../clock.js'
import { Guard } from './guard.js'
import { WorkerSession } from './session.js'
import { startItemWatch } from './watch/start.js'

Error.stackTraceLimit = 50
process.setSourceMapsEnabled(true)

const guard = new Guard()
// The clock is taken before the job is loaded: it may replace what the clock is made of.
const session = new WorkerSession(guard, captureSystemClock(), startItemWatch)

guard.onMessage((message) => {
  void session.handle(message)
})
