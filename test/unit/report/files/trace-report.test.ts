// The rows of the trace.

import { describe, expect, it } from 'vitest'
import { renderTrace } from '../../../../src/report/files/trace-report.js'
import fc from '../../../helpers/fast-check.js'
import { attemptAt, EMPTY_RECORD } from './records.js'

describe('the trace', () => {
  it('never puts two items that overlap into the same row', () => {
    const times = fc.tuple(fc.nat(50), fc.integer({ min: 1, max: 20 }))
    fc.assert(
      fc.property(fc.array(times, { maxLength: 60 }), (items) => {
        const attempts = items.map(([begins, ms], index) => attemptAt(index, 1_000 + begins, ms))
        const { traceEvents } = JSON.parse(renderTrace({ ...EMPTY_RECORD, attempts }))
        const shown = traceEvents.filter(({ cat }: { cat?: string }) => cat === 'ok')
        expect(shown).toHaveLength(items.length)
        for (const one of shown)
          for (const other of shown)
            if (one !== other && one.tid === other.tid && one.ts <= other.ts)
              expect(one.ts + one.dur).toBeLessThanOrEqual(other.ts)
      }),
    )
  })
})
