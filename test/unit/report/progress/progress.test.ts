// When progress is written. The terminal itself is tested in test/e2e/terminal.test.ts.
import type { WriteStream } from 'node:tty'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { RunView } from '../../../../src/model.js'
import { chooseCharset } from '../../../../src/report/charset.js'
import { noColors } from '../../../../src/report/colors.js'
import { Progress } from '../../../../src/report/progress/progress.js'
import type { ProgressMode } from '../../../../src/report/progress/progress-mode.js'

beforeEach(
  () =>
    void vi.useFakeTimers({
      now: 0,
      toFake: ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'performance'],
    }),
)
afterEach(() => void vi.useRealTimers())

function setUp(mode: ProgressMode) {
  let written = ''
  const counts = { ok: 0, failed: 0, notRun: 0, total: 1000 as number | undefined }
  let reads = 0
  const view: RunView = {
    counts: () => counts,
    activity: () => {
      reads++
      return [{ workerId: 0, pid: 7, state: 'idle', others: 0 }]
    },
  }
  const write = (text: string) => {
    written += text
  }
  const stream = { write, isTTY: false } as unknown as WriteStream
  const progress = new Progress({
    mode,
    command: 'map',
    output: stream,
    stderr: stream,
    stdout: stream,
    charset: chooseCharset({}),
    colors: noColors,
  })
  const take = () => {
    const taken = written
    written = ''
    return taken
  }
  /** Lets that many seconds pass, in which that many items settle. */
  const pass = (seconds: number, items: number) => {
    for (let second = 0; second < seconds; second++) {
      counts.ok += items / seconds
      vi.advanceTimersByTime(1000)
    }
  }
  return { progress, view, counts, take, pass, activityReads: () => reads }
}

describe('plain progress', () => {
  it('is silent for ten seconds and then writes a line every thirty', () => {
    const { progress, view, take, pass } = setUp('plain')
    progress.watch(view)
    pass(9, 90)
    expect(take()).toBe('')
    pass(1, 10)
    expect(take()).toBe(
      'poolrun map: 100 of 1000 done (10%), 0 failed, 0:10 elapsed, 10/s, about 1:30 left\n',
    )
    pass(29, 145)
    expect(take()).toBe('')
    pass(1, 5)
    expect(take()).toMatch(/^poolrun map: 250 of 1000 done \(25%\), 0 failed, 0:40 elapsed, [^\n]* left\n$/)
    pass(30, 90)
    expect(take()).toMatch(/^poolrun map: 340 of 1000 .* 1:10 elapsed/)
  })

  it('does not read the activity of the workers', () => {
    const { progress, view, pass, activityReads } = setUp('plain')
    progress.watch(view)
    pass(60, 60)
    expect(activityReads()).toBe(0)
  })

  it('is silent after it was stopped', () => {
    const { progress, view, take, pass } = setUp('plain')
    progress.watch(view)
    progress.stop()
    pass(100, 100)
    expect(take()).toBe('')
    expect(vi.getTimerCount()).toBe(0)
  })

  it('does not count the time in which the process was suspended', () => {
    const { progress, view, take, pass } = setUp('plain')
    progress.watch(view)
    pass(5, 50)
    progress.suspend()
    vi.advanceTimersByTime(3_600_000)
    progress.resume()
    take()
    pass(30, 300)
    expect(take()).toMatch(/0:\d\d elapsed, 10\/s, about/)
  })
})

describe('without progress', () => {
  it('writes text directly', () => {
    const { progress, view, take, pass } = setUp('none')
    progress.watch(view)
    progress.write('a line\n')
    pass(100, 100)
    expect(take()).toBe('a line\n')
  })

  it('still has a status, also before there is a run', () => {
    const { progress, view, pass } = setUp('none')
    expect(progress.status()).toBe('poolrun map: 0 done, 0 failed, 0:00 elapsed, 0 running, 0 waiting\n')
    progress.watch(view)
    pass(10, 100)
    expect(progress.status()).toBe(
      'poolrun map: 100 of 1000 done (10%), 0 failed, 0:10 elapsed, 10/s, about 1:30 left, 0 running, 0 waiting\n' +
        '  worker 0 (pid 7)  idle\n',
    )
  })
})
