// What progress looks like, by what is known about the run and by the size of the terminal.
import stringWidth from 'string-width'
import { describe, expect, it } from 'vitest'
import type { Chunk, WorkerActivity } from '../../../../src/model.js'
import { chooseCharset } from '../../../../src/report/charset.js'
import { noColors } from '../../../../src/report/colors.js'
import {
  liveText,
  type ProgressState,
  plainLine,
  statusText,
} from '../../../../src/report/progress/progress-text.js'

const context = { charset: chooseCharset({}), colors: noColors, width: stringWidth }
const asciiContext = { ...context, charset: chooseCharset({ LANG: 'C' }) }

function chunkOf(first: number, ...items: string[]): Chunk {
  const bytes = Buffer.from(items.map((item) => `${item}\n`).join(''))
  return { seq: first, count: items.length, payload: { kind: 'bytes', bytes, framing: 'ndjson' } }
}

function worker(workerId: number, rest: Partial<WorkerActivity> = {}): WorkerActivity {
  return { workerId, pid: 4131 + workerId, state: 'idle', others: 0, ...rest }
}

function busy(workerId: number, index: number, forMs: number, item = '{"src":"a.png"}', others = 0) {
  return worker(workerId, { state: 'busy', others, item: { chunk: chunkOf(index, item), offset: 0, forMs } })
}

function state(rest: Partial<ProgressState> = {}): ProgressState {
  return {
    command: 'map',
    counts: { ok: 1231, failed: 3, notRun: 8766, total: 10_000 },
    elapsedMs: 10_300,
    rate: 120,
    workers: [],
    ...rest,
  }
}

const started = { ok: 0, failed: 0, notRun: 0, total: undefined }

describe('the live line', () => {
  const at = (columns: number, of = state(), within = context) => liveText(of, { columns, rows: 5 }, within)

  it('has done and total, rate, time left and failures', () => {
    expect(at(80)).toBe('map  ⣿⣿⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀  1234/10000  12%  120/s  ETA 1:13  3 failed')
  })

  it('has the elapsed time instead of an estimate once a signal has come', () => {
    const ending = state({ isEnding: true })
    expect(at(80, ending)).toContain('120/s  0:10  3 failed')
    expect(plainLine(ending)).toBe('poolrun map: 1234 of 10000 done (12%), 3 failed, 0:10 elapsed, 120/s')
  })

  it('says why items begin later than they could', () => {
    const limited = state({ limit: '10/s' })
    expect(at(100, limited)).toContain('120/s  paced 10/s  ETA 1:13')
    expect(plainLine(limited)).toContain('120/s, paced 10/s, about')
    expect(at(100, { ...limited, pausedForMs: 11_500 })).toContain('120/s  cooling down 12 s  ETA 1:13')
    expect(at(100, { ...limited, pausedForMs: 3_599_500 })).toContain('120/s  cooling down 1 h  ETA 1:00:00')
  })

  it('leaves out what matters least in a narrow terminal', () => {
    expect([60, 49, 45, 36, 30, 20, 12].map((columns) => at(columns))).toEqual([
      'map  1234/10000  12%  120/s  ETA 1:13  3 failed',
      '1234/10000  12%  120/s  ETA 1:13  3 failed',
      '1234/10000  12%  120/s  ETA 1:13  3 failed',
      '1234/10000  ETA 1:13  3 failed',
      '1234/10000  3 failed',
      '1234/10000',
      '1234/100…',
    ])
  })

  it('has only the number done and the elapsed time if the total is not known', () => {
    const counts = { ok: 7, failed: 0, notRun: 3, total: undefined }
    expect(at(80, state({ counts, rate: 0.2 }))).toBe('map  7 done  12/min  0:10')
  })

  it('starts with nothing done', () => {
    expect(at(80, state({ counts: started, rate: undefined, elapsedMs: 600 }))).toBe('map  0 done  0:01')
  })

  it('is ASCII if the charset is', () => {
    expect(at(80, state(), asciiContext)).toBe(
      'map  ##..................  1234/10000  12%  120/s  ETA 1:13  3 failed',
    )
    expect(at(12, state(), asciiContext)).toBe('1234/1...')
  })

  it('colours the bar and the failures', () => {
    const colors = {
      ...noColors,
      good: (text: string) => `<${text}>`,
      bad: (text: string) => `!${text}!`,
    }
    expect(at(80, state(), { ...context, colors })).toMatch(/<⣿⣿⣀+>.* !3 failed!$/)
  })
})

describe('the lines of workers', () => {
  const lines = (workers: WorkerActivity[], columns = 80, rows = 24) =>
    liveText(state({ workers }), { columns, rows }, context).split('\n').slice(1)

  it('are aligned in columns, with the text of an item that runs for a second', () => {
    const workers = [
      busy(0, 9, 2_140),
      busy(1, 1234, 400),
      busy(2, 7, 130_000, '"写真\\u001b🖼️"', 3),
      worker(3),
      worker(4, { state: 'starting' }),
    ]
    expect(lines(workers)).toEqual([
      '  worker 0  item 9             2.1 s  {"src":"a.png"}',
      '  worker 1  item 1234          0.4 s',
      '  worker 2  item 7 and 3 more   2:10  "写真\\u001b🖼️"',
      '  worker 3  idle',
      '  worker 4  starting',
    ])
  })

  it('are sanitised', () => {
    expect(lines([busy(0, 1, 5000, '"\u001b[2J\u0007\r"')])).toEqual([
      '  worker 0  item 1  5.0 s  "\\x07\\r"',
    ])
  })

  it('are always narrower than the terminal, also with wide characters', () => {
    const wide = '"一二三四五六七八九十👩‍👩‍👧‍👦👍🏽é"'
    for (let columns = 12; columns < 80; columns++)
      for (const line of lines([busy(0, 1, 61_000, wide), worker(1)], columns))
        expect(stringWidth(line)).toBeLessThan(columns)
    expect(lines([busy(0, 1, 61_000, wide)], 36)).toEqual(['  worker 0  item 1  1:01  "一二三…'])
  })

  it('are left out if the terminal has few rows', () => {
    expect(lines([busy(0, 1, 1000)], 80, 9)).toEqual([])
    expect(lines([busy(0, 1, 1000)], 80, 10)).toHaveLength(1)
  })

  it('take at most half of the rows, and then show the longest running items', () => {
    const many = Array.from({ length: 64 }, (_, id) => busy(id, id, id === 40 ? 9000 : 100 + id, '1'))
    const shown = lines(many)
    expect(shown).toHaveLength(11)
    expect(shown[0]).toBe('  worker 40  item 40  9.0 s  1')
    expect(shown.slice(1, 3)).toEqual(['  worker 55  item 55  0.2 s', '  worker 56  item 56  0.2 s'])
    expect(shown.at(-1)).toBe('  and 54 more workers')
    expect(lines(many, 200, 50)).toHaveLength(24)
  })
})

describe('the plain line', () => {
  it('has the rate and the time left if they are known', () => {
    expect(plainLine(state())).toBe(
      'poolrun map: 1234 of 10000 done (12%), 3 failed, 0:10 elapsed, 120/s, about 1:13 left',
    )
    expect(plainLine(state({ counts: started, rate: undefined }))).toBe(
      'poolrun map: 0 done, 0 failed, 0:10 elapsed',
    )
  })
})

describe('the answer to SIGUSR2', () => {
  it('lists what each worker runs, with pids, and counts what waits', () => {
    const workers = [busy(0, 1240, 2_140), busy(1, 1234, 400, '1', 2), worker(2)]
    const counts = { ok: 1231, failed: 3, notRun: 10, total: undefined }
    expect(statusText(state({ workers, counts }))).toBe(
      'poolrun map: 1234 done, 3 failed, 0:10 elapsed, 120/s, 4 running, 6 waiting\n' +
        '  worker 0 (pid 4131)  item 1240             2.1 s  {"src":"a.png"}\n' +
        '  worker 1 (pid 4132)  item 1234 and 2 more  0.4 s\n' +
        '  worker 2 (pid 4133)  idle\n',
    )
  })

  it('is there before the run is', () => {
    expect(statusText(state({ counts: started, rate: undefined }))).toBe(
      'poolrun map: 0 done, 0 failed, 0:10 elapsed, 0 running, 0 waiting\n',
    )
  })
})
