// What goes to stdout, in which format, and what goes to stderr, how much of it and in which colours. What JSON cannot
// carry and what decides about colour is in test/unit/worker/encode-result.test.ts and test/unit/report.
import { describe, expect, it } from 'vitest'
import { fixture, runCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')
const ESCAPE = '\u001b['

describe('--format', () => {
  it('json is one array', async () => {
    const run = await runCli(['map', identity, '--format', 'json', '1', '"a"', '[2]'])
    expect(JSON.parse(run.stdout)).toEqual([1, 'a', [2]])
  })

  it('json is closed when imap stops early', async () => {
    const run = await runCli(['imap', fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])
    expect(JSON.parse(run.stdout)).toEqual([0, 1])
    expect(run.exitCode).toBe(1)
  })

  it('json of map that fails is nothing at all', async () => {
    const run = await runCli(['map', fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])
    expect(run.stdout).toBe('')
  })

  it('json of collect leaves out what failed', async () => {
    const run = await runCli(['collect', fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])
    expect(JSON.parse(run.stdout)).toEqual([0, 1, 3])
  })

  it('raw writes strings unquoted and the rest as JSON', async () => {
    const run = await runCli(['map', identity, '--format', 'raw', 'a "b"\\', '1', '{"c":"d"}', ''])
    expect(run.stdout).toBe('a "b"\\\n1\n{"c":"d"}\n\n')
  })

  it('raw writes the same bytes whether the results are text or JSON on their way, also after a crash', async () => {
    const space = tempSpace()
    const job = space.write({
      'any.mjs': `
        const makes = [
          () => 'text', () => '', () => 'two\\nlines', () => '\\x1e', () => '\\x1e"x"', () => '"quoted"', () => '\\ud800é',
          () => 7, () => ({ a: 'b\\n' }), () => undefined, () => new Date(0), () => Promise.resolve('later'),
          function* () { yield 'first'; yield 'second\\n'; yield 3 }, function* () {},
        ]
        export default i => i === 500 ? process.exit(3) : makes[i % makes.length]()`,
    })
    const args = ['collect', job, '-j', '1', '--format', 'raw', '--errors', space.path('errors')]
    const input = Array.from({ length: 1000 }, (_, i) => `${i}\n`).join('')
    const text = await runCli(args, { input })
    const json = await runCli([...args, '--journal', space.path('journal')], { input })
    const all = [
      'text',
      '',
      'two\nlines',
      '\x1e',
      '\x1e"x"',
      '"quoted"',
      '\ufffdé',
      '7',
      '{"a":"b\\n"}',
      'null',
    ]
    all.push('1970-01-01T00:00:00.000Z', 'later', 'first\nsecond\n\n3')
    const ran = [...Array(1000).keys()].filter((i) => i !== 500 && i % 14 < all.length)
    expect(text.stdout).toBe(ran.map((i) => `${all[i % 14]}\n`).join(''))
    expect(json.stdout).toBe(text.stdout)
    expect([text.exitCode, text.stderr.split('\n').at(-2)]).toEqual([
      3,
      expect.stringContaining('999 ok, 1 failed'),
    ])
  })

  it('can be set in the environment, where a flag wins', async () => {
    const env = { POOLRUN_FORMAT: 'json' }
    expect((await runCli(['map', identity, '7'], { env })).stdout.trim()).toBe('[7]')
    expect((await runCli(['map', identity, '7', '--format', 'ndjson'], { env })).stdout).toBe('7\n')
  })
})

describe('results that JSON cannot carry', () => {
  it('writes undefined as null', async () => {
    const run = await runCli(['map', fixture('returns-undefined'), '1', '2'])
    expect(run.stdout).toBe('null\nnull\n')
    expect(run.exitCode).toBe(0)
  })

  it('fail their item, with the path of the value', async () => {
    const run = await runCli(['map', fixture('returns-bigint'), '2'])
    expect(run.stderr).toMatch(/^ResultEncodingError: /m)
    expect(run.stderr).toContain('a.f')
    expect(run.stdout).toBe('')
    expect(run.exitCode).toBe(1)
  })

  it('fail their item alone where JSON would write {} or numbers, in every format', async () => {
    const items = [
      "new Response('{}')",
      '{ a: { f: [1, 2, new Uint8Array(1)] } }',
      "Buffer.from('a')",
      '{ b: {} }',
    ]
    for (const format of ['ndjson', 'json', 'raw']) {
      const job = fixture('returns-value-of-code')
      const run = await runCli([
        'collect',
        job,
        '--format',
        format,
        ...items.map((item) => JSON.stringify(item)),
      ])
      expect(run.stdout.trim().replace(/\s/g, '')).toBe(format === 'json' ? '[{"b":{}}]' : '{"b":{}}')
      expect(run.stderr).toContain('a Response has no form in JSON; is `await response.json()`')
      expect(run.stderr).toContain('result of item 1 cannot be sent: a.f[2] is Uint8Array')
      expect(run.stderr).toContain('a Uint8Array has no form in JSON; convert it with Array.from(x)')
      expect(run.stderr).toContain("a Buffer has no form in JSON; convert it with buf.toString('base64')")
      expect(run.stderr).toMatch(/1 ok, 3 failed \(items 0, 1, 2\)\n$/)
      expect(run.exitCode).toBe(3)
    }
  })
})

describe('stderr', () => {
  it('has only the summary line with -q if every item succeeds, even if jobs print', async () => {
    const run = await runCli(['map', fixture('prints-stdout-stderr'), '-q', '1', '2'])
    expect(run).toMatchObject({ stdout: '1\n2\n', stderr: 'poolrun map: 2 ok\n', exitCode: 0 })
  })

  it('has errors and the summary line with -q', async () => {
    const run = await runCli(['collect', fixture('throws-error'), '-q', '1', '2', '3'])
    expect(run.stderr).toContain('Error: boom')
    expect(run.stderr).toMatch(/poolrun collect: 2 ok, 1 failed \(item 1\)\n$/)
  })

  it('has one line per item with -v', async () => {
    const [normal, verbose] = await Promise.all([
      runCli(['map', identity, '1', '2', '3']),
      runCli(['map', identity, '-v', '1', '2', '3']),
    ])
    const count = (text: string) => text.split('\n').length
    expect(count(verbose.stderr) - count(normal.stderr)).toBeGreaterThanOrEqual(3)
    expect(verbose.stdout).toBe(normal.stdout)
  })

  it.each([
    ['into a pipe', [], {}, false],
    ['with --color over NO_COLOR', ['--color'], { NO_COLOR: '1' }, true],
    ['with FORCE_COLOR', [], { FORCE_COLOR: '1' }, true],
  ])('has colour or not: %s', async (_what, flags, env, coloured) => {
    const run = await runCli(['collect', fixture('throws-error'), ...flags, '1', '2'], { env })
    expect(run.stderr.includes(ESCAPE)).toBe(coloured)
    expect(run.stdout).toBe('1\n')
  })
})
