// What the extension of an input file means.
import { describe, expect, test } from 'vitest'
import { formatOf, isCompressed } from '../../../src/read/extensions.js'

describe('formatOf', () => {
  test.each([
    ['items.json', 'json'],
    ['items.ndjson', 'ndjson'],
    ['items.jsonl', 'ndjson'],
    ['items.txt', 'lines'],
    ['items.csv', 'csv'],
    ['items.tsv', 'tsv'],
    ['ITEMS.CSV', 'csv'],
    ['folder.json/items.csv', 'csv'],
    ['items.json.csv', 'csv'],
    ['items.csv.gz', 'csv'],
    ['items.CSV.GZ', 'csv'],
    ['items.json.br', 'json'],
    ['items.ndjson.zst', 'ndjson'],
    ['items.txt.gz.br', 'lines'],
    ['items', undefined],
    ['items.log', undefined],
    ['items.gz', undefined],
    ['items.json.zip', undefined],
    ['folder.json/items', undefined],
    ['.json', undefined],
    ['', undefined],
  ])('%j is %s', (path, format) => {
    expect(formatOf(path)).toBe(format)
  })
})

describe('isCompressed', () => {
  test.each(['.gz', '.br', '.zst'])('%s', (extension) => {
    expect(isCompressed(extension)).toBe(true)
  })

  test.each(['', '.json', 'gz', '.GZ', '.zip', '.xz'])('not %j', (extension) => {
    expect(isCompressed(extension)).toBe(false)
  })
})
