// What is rewritten before commander parses the arguments, and what is left alone.
import { describe, expect, it } from 'vitest'
import { normalize } from '../../../src/cli/normalize.js'
import { UsageError } from '../../../src/errors/classes.js'

const split = (line: string) => line.split(' ')

describe('normalize', () => {
  const cases: readonly (readonly [what: string, line: string, normalized: string])[] = [
    [
      'leaves commands, jobs, items and plain options alone',
      'map job.ts 1 -j 2 --tag',
      'map job.ts 1 -j 2 --tag',
    ],
    ['leaves negative numbers alone', 'map job.ts -1 -2.5', 'map job.ts -1 -2.5'],
    ['expands -0', 'map job.ts -0', 'map job.ts --input-format=nul'],
    [
      'expands -0 at the end of a cluster of switches',
      'map job.ts -qn0',
      'map job.ts -q -n --input-format=nul',
    ],
    ['leaves clusters without -0 alone', 'map job.ts -qn', 'map job.ts -qn'],
    ['leaves a short option with an attached value alone', 'map job.ts -j10', 'map job.ts -j10'],
    ['leaves -0 as the value of an option alone', 'map job.ts -i -0', 'map job.ts -i -0'],
    ['leaves -0 as the value of a long option alone', 'map job.ts --errors -0', 'map job.ts --errors -0'],
    [
      'expands -0 after an option with an attached value',
      'map job.ts --errors=a -0',
      'map job.ts --errors=a --input-format=nul',
    ],
    ['expands -0 after a switch', 'map job.ts --tag -0', 'map job.ts --tag --input-format=nul'],
    [
      'leaves everything after -- alone',
      'map job.ts -- -0 --allow-failures 5',
      'map job.ts -- -0 --allow-failures 5',
    ],
    [
      'leaves -- as the value of an option alone',
      'map job.ts -i -- -0',
      'map job.ts -i -- --input-format=nul',
    ],
    ['gives a bare flag its value', 'collect --allow-failures job.ts', 'collect --allow-failures=any job.ts'],
    [
      'gives a bare flag its value at the end',
      'collect job.ts --allow-failures',
      'collect job.ts --allow-failures=any',
    ],
    [
      'leaves a flag with an attached value alone',
      'collect job.ts --allow-failures=5%',
      'collect job.ts --allow-failures=5%',
    ],
    ['leaves an option without its value to the parser', 'map job.ts -j', 'map job.ts -j'],
  ]
  it.each(cases)('%s: %s', (_what, line, normalized) => {
    expect(normalize(split(line))).toEqual(split(normalized))
  })

  it.each(['5', '5%', 'any'])('refuses %s after a flag whose value is optional', (value) => {
    const line = `collect job.ts --allow-failures ${value}`
    expect(() => normalize(split(line))).toThrow(UsageError)
    expect(() => normalize(split(line))).toThrow(`--allow-failures=${value} (if '${value}' is an item`)
  })
})
