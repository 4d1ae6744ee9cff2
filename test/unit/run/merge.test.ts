// `poolrun merge`: what the shards of a run are together, and what is refused.
import { readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { describe, expect, test } from 'vitest'
import { journalText } from '../../../src/run/show-journal.js'
import { project } from './journaled-runs.js'

type Task = (item: never) => unknown

function unlucky(n: number): number {
  if (n % 13 === 5) throw new RangeError(`bad ${n}`)
  return n * n
}

const numbers = Array.from({ length: 60 }, (_, n) => `${n}\n`).join('')

/** Four shards of a run over a file. */
function sharded(command: string, items: string, task: Task, options: readonly string[] = []) {
  const { space, run, merge } = project()
  const file = space.path(options.includes('lines') ? 'items.txt' : 'items.ndjson')
  writeFileSync(file, items)
  const journals = [1, 2, 3, 4].map((m) => space.path(`shard-${m}.ndjson`))
  const runShard = (m: number, more: readonly string[] = [], job: Task = task) =>
    run([command, '-i', file, '--shard', `${m}/4`, '--journal', journals[m - 1]!, ...options, ...more], job)
  return {
    space,
    file,
    journals,
    merge: (more: readonly string[] = [], paths = journals) => merge(paths, more),
    runShard,
    runShards: async () => {
      for (const m of [1, 2, 3, 4]) await runShard(m)
    },
    whole: (more: readonly string[] = []) =>
      run(
        [command, '-i', file, '--journal', space.path(`whole-${Math.random()}`), ...options, ...more],
        task,
      ),
  }
}

describe('the shards of a run are together the whole run', () => {
  test.each(['collect', 'imap', 'map'])('of %s with failures', async (command) => {
    const { runShards, merge, whole } = sharded(command, numbers, unlucky)
    await runShards()
    const { stdout, exitCode } = await whole()
    expect(await merge()).toMatchObject({ stdout, exitCode })
  })

  test('in counts and in --errors', async () => {
    const { space, runShards, merge, whole } = sharded('collect', numbers, unlucky)
    await runShards()
    const { line } = await whole(['--errors', space.path('whole')])
    expect(await merge(['--errors', space.path('merged')])).toMatchObject({ line, exitCode: 3 })
    const failures = (name: string) =>
      space
        .read(name)
        .trim()
        .split('\n')
        .map((text) => JSON.parse(text))
        .map(({ index, item, kind, error: { name, message } }) => [index, item, kind, name, message])
    expect(failures('merged')).toEqual(failures('whole'))
  })

  test.each([[[]], [['--format', 'json']], [['--format', 'csv']], [['--envelope']]])(
    'in the format %j',
    async (format) => {
      const { runShards, merge, whole } = sharded('imap', numbers, (n: number) => ({
        n,
        half: n % 2 ? null : n / 2,
      }))
      await runShards()
      const { stdout } = await whole(format)
      expect(await merge(format)).toMatchObject({ stdout, exitCode: 0 })
    },
  )

  test('where items are lines of text, and where a shard is empty', async () => {
    const text = sharded('imap', 'ab\n\nc\r\n"d"', (line: string) => [...line], ['--input-format', 'lines'])
    await text.runShards()
    expect((await text.merge()).stdout).toBe((await text.whole()).stdout)
  })

  test('with the verdict of the shards, or another one', async () => {
    const { runShards, merge } = sharded('collect', numbers, unlucky, ['--allow-failures'])
    await runShards()
    expect(await merge()).toMatchObject({ exitCode: 0 })
    expect(await merge(['--allow-failures=1'])).toMatchObject({ exitCode: 3 })
  })

  test('where the input has changed between the runs of each shard', async () => {
    const { file, runShard, merge, whole } = sharded('imap', '1\n2\n3\n4\n5\n6\n7\n8\n', (n: number) => n * n)
    for (const m of [1, 2, 3, 4]) await runShard(m)
    writeFileSync(file, '9\n8\n1\n7\n6\n2\n5\n')
    for (const m of [1, 2, 3, 4]) await runShard(m, ['--resume'])
    writeFileSync(file, '1\n2\n9\n')
    for (const m of [1, 2, 3, 4]) await runShard(m, ['--resume'])
    expect((await merge()).stdout).toBe((await whole()).stdout)
  })

  test('also where the journals were compacted', async () => {
    const { journals, runShard, merge } = sharded('collect', numbers, (n: number) => n)
    for (const m of [1, 2, 3, 4]) await runShard(m, [], unlucky)
    for (const m of [1, 2, 3, 4]) await runShard(m, ['--resume'])
    const before = await merge()
    for (const path of journals) journalText({ path, json: false, compact: true })
    expect(await merge()).toEqual(before)
    expect(before).toMatchObject({ exitCode: 0, line: 'poolrun collect: 60 ok' })
  })
})

describe('merge refuses', () => {
  test('what are not all shards of one run', async () => {
    const { space, file, journals, runShards, runShard, merge } = sharded('imap', numbers, (n: number) => n)
    await runShards()
    const [first, second, third, fourth] = journals as [string, string, string, string]
    const refused = async (paths: string[], message: string) =>
      expect(merge([], paths)).rejects.toMatchObject({
        code: 'ERR_POOL_INPUT',
        message: expect.stringContaining(message),
      })
    await refused([first, second, third], 'a shard is missing: 4/4')
    await refused([first, second, second, third], 'are both shard 2/4')
    await refused([first, second, third, file], 'is not a journal')
    await refused([first, second, third, space.path('none')], 'no such file')
    writeFileSync(file, '1\n2\n')
    writeFileSync(fourth, '')
    await runShard(4)
    await refused(journals, 'its input was another one')
    const text = readFileSync(third, 'utf8')
    truncateSync(third, text.lastIndexOf('{"end"'))
    writeFileSync(file, numbers)
    writeFileSync(fourth, '')
    await runShard(4)
    await refused(journals, `${third} is not complete`)
  })

  test('a shard that too many failures have stopped, until it was gone on with', async () => {
    const { journals, runShards, runShard, merge, whole } = sharded('collect', numbers, unlucky)
    await runShards()
    const before = await merge()
    writeFileSync(journals[1]!, '')
    await runShard(2, ['--max-failures', '1', '--chunk-size', '1'])
    await expect(merge()).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT',
      message: expect.stringContaining(`${journals[1]} is not complete`),
    })
    await runShard(2, ['--resume'])
    expect(await merge()).toEqual(before)
    expect(before.stdout).toBe((await whole()).stdout)
  })

  test('a shard of which a line was removed, until its item has run again', async () => {
    const { journals, runShards, runShard, merge } = sharded('collect', numbers, unlucky)
    await runShards()
    const before = await merge()
    const lines = readFileSync(journals[2]!, 'utf8').split('\n')
    writeFileSync(journals[2]!, lines.filter((_, i) => i !== 3).join('\n'))
    await expect(merge()).rejects.toMatchObject({
      code: 'ERR_POOL_INPUT',
      message: expect.stringContaining(`${journals[2]} is not complete`),
    })
    await runShard(3, ['--resume'])
    expect(await merge()).toEqual(before)
  })

  test('the journal of a whole run whose items may have moved, also once it was compacted', async () => {
    const { run, merge, journal } = project()
    const { stdout } = await run(['imap', '1', '2', '3'])
    expect(await merge([journal])).toMatchObject({ stdout })
    await run(['imap', '3', '1', '2', '4', '--resume'])
    const refused = () =>
      expect(merge([journal])).rejects.toMatchObject({
        code: 'ERR_POOL_INPUT',
        message: expect.stringContaining(`${journal} is the journal of a whole run that was resumed`),
      })
    await refused()
    journalText({ path: journal, json: true, compact: true })
    await refused()
  })

  test('and journal refuses what is not a regular file', async () => {
    const { space, merge } = project()
    const link = space.path('link')
    symlinkSync('/dev/null', link)
    for (const path of [link, space.dir])
      for (const read of [
        () => merge([path]),
        async () => journalText({ path, json: true, compact: false }),
        async () => journalText({ path, json: true, compact: true }),
      ])
        await expect(read()).rejects.toMatchObject({
          code: 'ERR_POOL_INPUT',
          message: expect.stringMatching(
            /cannot read the journal .*: it is (not a regular file|a directory)/,
          ),
        })
  })

  test('damage, and a journal in use, but not a torn tail', async () => {
    const { journals, runShards, merge } = sharded('imap', numbers, (n: number) => n)
    await runShards()
    const path = journals[1]!
    const text = readFileSync(path, 'utf8')
    writeFileSync(path, `${text}{"ok":7,`)
    expect(await merge()).toMatchObject({ exitCode: 0, warnings: [expect.stringContaining('is torn')] })
    writeFileSync(path, text.replace('"value":5', '"value":6'))
    await expect(merge()).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT',
      message: expect.stringContaining('damaged in line 3'),
    })
    writeFileSync(path, text)
    writeFileSync(
      `${path}.lock`,
      JSON.stringify({ pid: process.pid, host: hostname(), start: '', since: 'noon' }),
    )
    await expect(merge()).rejects.toMatchObject({
      code: 'ERR_POOL_OUTPUT',
      message: expect.stringContaining('in use'),
    })
  })
})

describe('poolrun journal', () => {
  const items = ['1', '5', '18', '3']
  const show = (path: string, compact = false) => JSON.parse(journalText({ path, json: true, compact }))

  test('counts what is done, has failed and has not run', async () => {
    const { run, journal } = project()
    await run(['collect', ...items, '--max-failures', '1'], unlucky)
    const text = readFileSync(journal, 'utf8')
    const { done, failed, notRun, size } = show(journal)
    expect([done + failed + notRun, failed >= 1, size]).toEqual([4, true, text.length])
    truncateSync(journal, text.lastIndexOf('{"end"'))
    expect(show(journal).notRun).toBeNull()
    expect(journalText({ path: journal, json: false, compact: false })).toContain('not run  unknown')
  })

  test('drops superseded events with --compact, and nothing else', async () => {
    const { run, journal, took } = project()
    const large = 'x'.repeat(2 << 20)
    const task = (n: number) => (n === 1 ? large : n)
    await run(['collect', ...items], unlucky)
    await run(['collect', ...items, '--resume'])
    await run(['collect', ...items, '7', '--resume'], task)
    const before = show(journal)
    const after = show(journal, true)
    expect(after).toEqual({ done: 5, failed: 0, notRun: 0, size: expect.any(Number) })
    expect(after.size).toBeLessThan(before.size)
    took()
    const { stdout, exitCode } = await run(['collect', ...items, '7', '--resume'])
    expect({ stdout, exitCode, took: took() }).toEqual({ stdout: '1\n10\n36\n9\n7\n', exitCode: 0, took: [] })
  })

  test('refuses what is no journal, and damage', async () => {
    const { space, run, journal } = project()
    space.write({ other: 'text\n' })
    expect(() => show(space.path('other'))).toThrow('not a journal')
    expect(() => show(space.path('none'))).toThrow('no such file')
    await run(['imap', '1', '2'])
    writeFileSync(journal, readFileSync(journal, 'utf8').replace('"ok":0', '"ok":1'))
    expect(() => show(journal)).toThrow('damaged in line 2')
    expect(() => show(journal, true)).toThrow('damaged in line 2')
  })
})
