// The forked entry: connects the parent's channel with a session. Imports node: and what parent and worker share, nothing
// heavier: its start is part of every run.
import { stat } from 'node:fs'
import { systemClock } from '../clock.js'
import { Guard } from './guard.js'
import { WorkerSession } from './session.js'
import { startItemWatch } from './watch/start.js'

// Not possible with --frozen-intrinsics: stacks stay short.
Reflect.set(Error, 'stackTraceLimit', 50)
// The first asynchronous call of `fs` starts libuv's threads, and ends the process where the system allows no more of
// them. Here that counts as a worker that could not be started; later, the job would be blamed.
stat('.', () => {})
process.setSourceMapsEnabled(true)

const guard = new Guard()
// The clock is taken before the job is loaded: it may replace what the clock is made of.
const session = new WorkerSession(guard, systemClock, startItemWatch)

guard.onMessage((message) => {
  void session.handle(message)
})
