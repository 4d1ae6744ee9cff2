import { describe, expect, test } from 'vitest'
import { parseCommandLine } from '../../../src/cli/program.js'
import { concurrencyOf } from '../../../src/executor/scheduler/scaling.js'

const planOf = (argv: string[], env: NodeJS.ProcessEnv = {}) => {
  const line = parseCommandLine({
    argv,
    env,
    stdinIsTTY: false,
    availableParallelism: 2,
    readFile: () => '',
    isFile: () => true,
  })
  if (line.kind !== 'run') throw new Error(line.kind)
  return line.plan
}

describe('--exec', () => {
  test('takes every argument for an item', () => {
    const plan = planOf(['map', '--exec', 'cat {}', 'job.ts', 'b'])
    expect(plan.job.path).toBe('--exec')
    expect(plan.input).toEqual({ kind: 'items', texts: ['job.ts', 'b'] })
    expect(plan.exec).toEqual({
      template: 'cat {}',
      shell: '/bin/sh',
      spread: false,
      output: 'text',
      stdin: false,
      maxOutputBytes: 64 * 1024 * 1024,
      results: undefined,
      commands: 2,
    })
    expect(planOf(['apply', '--exec', 'cat {}', 'b']).exec?.spread).toBe(true)
    expect(planOf(['map', '--batch', '2', '--exec', 'cat {}', 'b']).exec?.spread).toBe(true)
  })

  test.each([
    ['1', 1, [1]],
    ['2', 2, [1, 1]],
    ['5', 2, [3, 2]],
    ['200', 2, [100, 100]],
    ['0', 0, []],
  ])('with -j %s, %i workers run %j commands', (j, processes, each) => {
    const plan = planOf(['map', '-j', j, '--exec', 'cat {}', 'a'])
    expect(plan.processes).toBe(processes)
    const { concurrency } = plan
    const options = { concurrency, processes, itemsAtATime: plan.exec!.commands }
    expect(each.map((_, id) => concurrencyOf(id, options))).toEqual(each)
  })

  test.each([
    [['starmap', '--exec', 'cat {}'], '--exec is for map'],
    [['map', '--exec', ' '], 'expected a command'],
    [['map', '--exec', 'a', '-e', 'b'], '--eval cannot be combined with --exec'],
    [['map', '--exec', 'a', '--exec', 'b'], 'given twice'],
    [['map', '--exec', 'a', '--concurrency', '2'], '-j is the number of commands'],
    [['map', '--exec', 'a', '--init-args', '[]'], 'job modules'],
    [['map', '--exec', 'a', '--exec-output', 'json', '--results', 'd'], '--results'],
    [['map', '--exec', 'a', '--exec-output', 'base64'], 'text, json, lines or none'],
    [['map', 'job.ts', '--shell', 'bash'], '--shell is for the commands of --exec'],
    [['map', 'job.ts', '--exec-stdin'], '--exec-stdin is for the commands of --exec'],
  ])('%j is refused', (argv, message) => {
    expect(() => planOf(argv)).toThrow(message)
  })

  test('the variables that commands get are no options', () => {
    const env = {
      POOLRUN_EXEC: 'x',
      POOLRUN_ITEM: 'x',
      POOLRUN_INDEX: 'x',
      POOLRUN_SLOT: 'x',
      POOLRUN_ATTEMPT: 'x',
    }
    expect(planOf(['map', 'job.ts', 'a'], env).exec).toBeUndefined()
  })
})
