// What goes to stdout, in which format, and what goes to stderr, how much of it and in which colours. What JSON cannot
// carry and what decides about colour is in test/unit/worker/encode-result.test.ts and test/unit/report.
import { describe, expect, it } from 'vitest'
import { fixture, runCli, runInParent } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')

const ESCAPE = '\u001b['

describe('--format', () => {
  const failing = (command: string) =>
    runInParent([command, fixture('throws-error'), '--format', 'json', '0', '1', '2', '3'])

  it('json of imap that stops early is closed', async () => {
    const { stdout, exitCode } = await failing('imap')
    expect(JSON.parse(stdout)).toEqual([0, 1])
    expect(exitCode).toBe(1)
  })

  it('json of map that fails is nothing at all', async () => {
    expect((await failing('map')).stdout).toBe('')
  })

  it('json of collect is one array, which leaves out what failed', async () => {
    const { stdout } = await runCli([
      'collect',
      fixture('throws-error'),
      '--format',
      'json',
      '0',
      '"a"',
      '2',
      '[3]',
    ])
    expect(JSON.parse(stdout)).toEqual([0, 'a', [3]])
  })

  it('raw writes strings unquoted and the rest as JSON', async () => {
    const { stdout } = await runInParent([
      'map',
      identity,
      '--format',
      'raw',
      'a "b"\\',
      '1',
      '{"c":"d"}',
      '',
    ])
    expect(stdout).toBe('a "b"\\\n1\n{"c":"d"}\n\n')
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
        export default i => i === 150 ? process.exit(3) : makes[i % makes.length]()`,
    })
    const args = ['collect', job, '-j', '1', '--format', 'raw', '--errors', space.path('errors')]
    const input = Array.from({ length: 300 }, (_, i) => `${i}\n`).join('')
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
    const ran = [...Array(300).keys()].filter((i) => i !== 150 && i % 14 < all.length)
    expect(text.stdout).toBe(ran.map((i) => `${all[i % 14]}\n`).join(''))
    expect(json.stdout).toBe(text.stdout)
    expect([text.exitCode, text.stderr.split('\n').at(-2)]).toEqual([
      3,
      expect.stringContaining('299 ok, 1 failed'),
    ])
  })

  it('can be set in the environment, where a flag wins', async () => {
    const env = { POOLRUN_FORMAT: 'json' }
    expect((await runInParent(['map', identity, '7'], { env })).stdout.trim()).toBe('[7]')
    expect((await runInParent(['map', identity, '7', '--format', 'ndjson'], { env })).stdout).toBe('7\n')
  })
})

describe('results that JSON cannot carry', () => {
  it.each([
    ['ndjson', [], 'null\n{"b":{}}\n'],
    ['json', ['-j', '0'], '[null,{"b":{}}]'],
    ['raw', ['-j', '0'], 'null\n{"b":{}}\n'],
  ])(
    'fail their item alone in %s, with the path of the value; undefined is null',
    async (format, flags, stdout) => {
      const items = [
        "new Response('{}')",
        '{ a: { f: [1, 2, new Uint8Array(1)] } }',
        "Buffer.from('a')",
        '{ a: { f: 2n } }',
        'undefined',
        '{ b: {} }',
      ]
      const args = ['--format', format, ...flags, ...items.map((item) => JSON.stringify(item))]
      const ran = await runCli(['collect', fixture('returns-value-of-code'), ...args])
      expect(format === 'json' ? ran.stdout.replace(/\s/g, '') : ran.stdout).toBe(stdout)
      expect(ran.stderr).toMatch(/^ResultEncodingError: /m)
      expect(ran.stderr).toContain('a Response has no form in JSON; is `await response.json()`')
      expect(ran.stderr).toContain('result of item 1 cannot be sent: a.f[2] is Uint8Array')
      expect(ran.stderr).toContain('a Uint8Array has no form in JSON; convert it with Array.from(x)')
      expect(ran.stderr).toContain("a Buffer has no form in JSON; convert it with buf.toString('base64')")
      expect(ran.stderr).toContain('result of item 3 cannot be sent: a.f is ')
      expect(ran.stderr).toMatch(/2 ok, 4 failed \(items 0, 1, 2, 3\)\n$/)
      expect(ran.exitCode).toBe(3)
    },
  )
})

describe('stderr', () => {
  it('has only the summary line with -q if every item succeeds, even if jobs print', async () => {
    const ran = await runCli(['map', fixture('prints-stdout-stderr'), '-q', '1', '2'])
    expect(ran).toMatchObject({ stdout: '1\n2\n', stderr: 'poolrun map: 2 ok\n', exitCode: 0 })
  })

  it('has errors and the summary line with -q, and no colour in a pipe', async () => {
    const { stderr } = await runInParent(['collect', fixture('throws-error'), '-q', '1', '2', '3'])
    expect(stderr).toContain('Error: boom')
    expect(stderr).not.toContain(ESCAPE)
    expect(stderr).toMatch(/poolrun collect: 2 ok, 1 failed \(item 1\)\n$/)
  })

  it('has one line per item with -v', async () => {
    const { stdout, stderr } = await runInParent(['map', identity, '-v', '1', '2', '3'])
    expect(stderr.match(/^map: item \d ok \(.*\)$/gm)).toHaveLength(3)
    expect(stdout).toBe('1\n2\n3\n')
  })

  it.each([
    ['with --color over NO_COLOR', ['--color'], { NO_COLOR: '1' }],
    ['with FORCE_COLOR', [], { FORCE_COLOR: '1' }],
  ])('has colour in a pipe %s', async (_what, flags, env) => {
    const { stdout, stderr } = await runInParent(['collect', fixture('throws-error'), ...flags, '1', '2'], {
      env,
    })
    expect(stderr).toContain(ESCAPE)
    expect(stdout).toBe('1\n')
  })
})
