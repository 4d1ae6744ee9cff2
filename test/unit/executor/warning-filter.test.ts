// Warnings that workers send for many items.
import { describe, expect, it } from 'vitest'
import { WarningFilter } from '../../../src/executor/warning-filter.js'

describe('WarningFilter', () => {
  it('passes each text once', () => {
    const filter = new WarningFilter()
    expect(['a', 'b', 'a', 'a', 'b', 'c'].map((text) => filter.pass(text) ?? '')).toEqual([
      'a',
      'b',
      '',
      '',
      '',
      'c',
    ])
  })

  it('passes twenty texts, and says that there are more', () => {
    const filter = new WarningFilter()
    const passed = Array.from({ length: 40_000 }, (_, n) => filter.pass(`item ${n}`)).filter(Boolean)
    expect(passed).toHaveLength(21)
    expect(passed.at(-1)).toBe('more warnings of the job are not shown')
    expect(filter.pass('item 0')).toBeUndefined()
  })
})
