import { describe, expect, it, test } from 'vitest'
import { withoutInspector, workerEnvironment } from '../../../src/transport/worker-environment.js'

describe('withoutInspector', () => {
  it.each([
    ['', ''],
    ['--inspect', ''],
    ['--inspect=0', ''],
    ['--inspect-brk=127.0.0.1:9229 --no-warnings', '--no-warnings'],
    ['--inspect-wait', ''],
    ['--max-old-space-size=64 --inspect-port 9230 --no-warnings', '--max-old-space-size=64 --no-warnings'],
    ['--debug-port=1', ''],
    ['--inspect-publish-uid=http', ''],
    ['--require  "/a b/--inspect.cjs"', '--require  "/a b/--inspect.cjs"'],
    ['--require "/a \\" b.cjs" --inspect', '--require "/a \\" b.cjs"'],
    ['--require=./inspect.cjs', '--require=./inspect.cjs'],
    ['--no-warnings', '--no-warnings'],
  ])('of %j is %j', (options, expected) => {
    expect(withoutInspector(options)).toBe(expected)
  })
})

test('workers get this environment, what the user wants for them, and their id', () => {
  const own = { PATH: '/bin', NODE_OPTIONS: '--inspect', A: '1' }
  expect(workerEnvironment(own, { A: '2' }, 3)).toEqual({
    PATH: '/bin',
    NODE_OPTIONS: '',
    A: '2',
    POOLRUN_WORKER_ID: '3',
  })
  expect(workerEnvironment(own, { NODE_OPTIONS: '--inspect=0' }, 0).NODE_OPTIONS).toBe('--inspect=0')
  // Of `node --watch`, for the process that it starts: in a worker nobody listens.
  const watched = { WATCH_REPORT_DEPENDENCIES: '1' }
  expect(workerEnvironment(watched, { ...watched }, 0).WATCH_REPORT_DEPENDENCIES).toBeUndefined()
  expect(workerEnvironment({}, undefined, 0)).toEqual({ POOLRUN_WORKER_ID: '0' })
})
