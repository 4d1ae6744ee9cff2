import { expect, test } from 'vitest'
import type { ErrorData } from '../../../src/error-data.js'
import { warningText } from '../../../src/errors/warning-text.js'
import type { Warning } from '../../../src/model.js'

const worker = { workerId: 3, pid: 4711 }
const thrown: ErrorData = {
  type: 'thrown',
  typeName: 'string',
  preview: "'x'",
  cloned: true,
  value: 'x',
}
const error: ErrorData = {
  type: 'error',
  name: 'RangeError',
  message: 'too far',
  frames: '    at late (job.ts:1:1)',
  builtin: 'RangeError',
  props: {},
}

test.each<[warning: Warning, text: string]>([
  [
    { kind: 'finalizer-timeout', ...worker, afterMs: 2_000 },
    'worker 3 (pid 4711) did not stop within 2000 ms and was killed',
  ],
  [
    { kind: 'exit-between-items', ...worker, exitCode: 5, signal: null, uncaughtError: undefined },
    'worker 3 (pid 4711) exited with code 5 between items',
  ],
  [
    { kind: 'exit-between-items', ...worker, exitCode: null, signal: 'SIGABRT', uncaughtError: thrown },
    "worker 3 (pid 4711) was killed by SIGABRT between items; outside any item the job threw: 'x'",
  ],
  [
    { kind: 'exit-between-items', ...worker, exitCode: 1, signal: null, uncaughtError: error },
    'worker 3 (pid 4711) exited with code 1 between items; outside any item the job threw: RangeError: too far',
  ],
  [{ kind: 'text', text: 'the finalizer threw: x' }, 'the finalizer threw: x'],
])('$0.kind: $1', (warning, text) => {
  expect(warningText(warning)).toBe(text)
})
