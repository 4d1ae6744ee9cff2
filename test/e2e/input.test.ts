// Where items come from and how their text is read: formats, detection, and the messages for malformed text. More
// texts are in test/unit/read.
import { once } from 'node:events'
import { describe, expect, it } from 'vitest'
import { fixture, runCli, runInParent, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')
const TRICKY = [{ 'a]"': ['},{', '\\"', '\u2028é😀'] }, [], '', null, -0.5e3, { b: { c: [[1]] } }]

describe('formats', () => {
  const results = TRICKY.map((item) => `${JSON.stringify(item)}\n`).join('')

  it('reads a JSON array over several lines, by its first byte', async () => {
    const run = await runCli(['map', identity], { input: `\uFEFF${JSON.stringify(TRICKY, null, 2)}` })
    expect(run.stdout).toBe(results)
  })

  it('reads NDJSON with CRLF, blank lines and a last newline, by --input-format', async () => {
    const input = `${TRICKY.map((item) => JSON.stringify(item)).join('\r\n\r\n')}\r\n`
    const run = await runInParent(['map', identity, '--input-format', 'ndjson'], { input })
    expect(run.stdout).toBe(results)
  })

  it('reads a .txt file as lines, each a string', async () => {
    const file = tempSpace().write({ 'items.txt': 'one\n[2]\r\n\n  three  \n"four"' })
    const run = await runInParent(['map', identity, '-i', file])
    expect(run.stdout).toBe('"one"\n"[2]"\n"  three  "\n"\\"four\\""\n')
  })

  it('reads NUL-separated strings with -0', async () => {
    const run = await runInParent(['map', identity, '-0'], { input: 'one\ntwo\0\0three\0' })
    expect(run.stdout).toBe('"one\\ntwo"\n""\n"three"\n')
  })

  it('takes the format from the environment', async () => {
    const file = tempSpace().write({ 'c.data': '[1]\n' })
    const run = await runInParent(['map', identity, '-i', file], { env: { POOLRUN_INPUT_FORMAT: 'lines' } })
    expect(run.stdout).toBe('"[1]"\n')
  })

  it('reads stdin for -i -, and treats a key __proto__ as data', async () => {
    const item = '{"__proto__":{"polluted":true},"constructor":1}'
    const run = await runInParent(['map', identity, '-i', '-'], { input: item })
    expect(run.stdout).toBe(`${item}\n`)
  })

  it('reads an empty array with white space in it', async () => {
    const run = await runInParent(['map', identity, '--format', 'json'], { input: ' [ \n ] \n' })
    expect(JSON.parse(run.stdout)).toEqual([])
    expect(run.exitCode).toBe(0)
  })
})

describe('malformed text ends the run with code 4 and a location', () => {
  it.each([
    ['an array that is torn', 'map', 'torn.json', '[\n  1,\n  {"a": 2', /torn\.json:3:\d+: item 1\b/],
    ['an NDJSON line', 'imap', 'bad.ndjson', '1\n\n2\n{"a": tru}\n', /bad\.ndjson:4:\d+: item 2\b/],
  ])('%s', async (_what, command, name, text, location) => {
    const file = tempSpace().write({ [name]: text })
    const run = await runInParent([command, identity, '-i', file])
    expect(run.stderr).toMatch(location)
    expect(run.stderr).not.toMatch(/^ {4}at .*(?:node:|dist)/m)
    if (command === 'map') expect(run.stdout).toBe('')
    else expect(run.stdout).toBe('1\n2\n')
    expect(run.exitCode).toBe(4)
  })

  it('with a hint to --input-format lines if it only begins like an array', async () => {
    const run = await runInParent(['imap', identity], { input: '[a].txt\n[b].txt\n' })
    expect(run.stderr).toContain("<stdin>:1:2: item 0: Unexpected token 'a'; for plain text")
    expect(run.stderr).toContain('--input-format lines')
    expect(run).toMatchObject({ stdout: '', exitCode: 4 })
  })

  it('with the line and column after blank lines', async () => {
    const run = startCli(['imap', identity, '-j', '1'])
    run.child.stdin.write('1\n\n"x')
    await once(run.child.stdout, 'data')
    run.child.stdin.end('"\n\n1.0.2\n')
    expect((await run.ended()).stderr).toContain("<stdin>:5:4: item 2: Unexpected token '.'")
  })

  it('with the byte offset of bad UTF-8', async () => {
    const input = Buffer.from('1\n"caf\xff"\n', 'latin1')
    const run = await runInParent(['imap', identity, '--input-format', 'ndjson'], { input })
    expect(run.stderr).toMatch(/UTF-8/)
    expect(run.stderr).toMatch(/\b6\b/)
    expect(run.exitCode).toBe(4)
  })
})

describe('in collect, an item that is not UTF-8 fails alone', () => {
  it.each([
    ['lines', '0', 'a\nb\xff\nc', '"b\ufffd"', '<stdin>:2:2'],
    ['ndjson', '1', '"a"\n"b\xff"\n"c"', '"\\"b\ufffd\\""', '<stdin>:2:3'],
  ])('with --input-format %s, -j %s', async (format, processes, input, item, position) => {
    const { path, read } = tempSpace()
    const args = ['collect', identity, '-j', processes, '--input-format', format]
    const run = await runCli([...args, '--errors', path('errors')], { input: Buffer.from(input, 'latin1') })
    expect(run).toMatchObject({ exitCode: 3, stdout: '"a"\n"c"\n' })
    expect(run.stderr).toContain(`InputError: ${position}: item 1: Invalid UTF-8`)
    expect(read('errors')).toContain(`{"index":1,"item":${item},"kind":"input",`)
  })
})

describe('items on the command line', () => {
  const IDS = ['81444e2', '1202285736968061337', '007', '1.0', '12', '-0.5', '[1]', 'x']

  it('are numbers only where they print back as they were typed, and stdin is not read', async () => {
    const run = await runInParent(['map', identity, '--', ...IDS], { input: '2\n' })
    expect(run.stdout).toBe('"81444e2"\n"1202285736968061337"\n"007"\n"1.0"\n12\n-0.5\n[1]\n"x"\n')
  })

  it('are strings with --strings or POOLRUN_STRINGS', async () => {
    const strings = IDS.map((id) => `${JSON.stringify(id)}\n`).join('')
    expect((await runInParent(['map', identity, '--strings', '--', ...IDS])).stdout).toBe(strings)
    expect((await runInParent(['apply', identity, '12'], { env: { POOLRUN_STRINGS: '1' } })).stdout).toBe(
      '"12"\n',
    )
  })
})
