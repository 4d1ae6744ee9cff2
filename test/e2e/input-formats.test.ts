// Inputs beyond JSON and lines: CSV, TSV, compressed files, file patterns, chosen items. Every rule of CSV is in
// test/unit/read/csv-conformance.test.ts, what packed files may contain in compressed.test.ts beside it, and what a pattern
// matches in glob.test.ts.
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fixture, lines, runCli, runInParent, runShell, startCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'

const identity = fixture('identity')

const CSV = '\ufeffid,name,__proto__\r\n1,"Alice ""A"", 北京",x\r\n\r\n2,"two\r\nlines",y\r\n'
const ROWS =
  '{"id":"1","name":"Alice \\"A\\", 北京","__proto__":"x"}\n{"id":"2","name":"two\\r\\nlines","__proto__":"y"}\n'

describe('CSV', () => {
  it('is objects named by the header row, a key __proto__ being data', async () => {
    const path = tempSpace().write({ 'data.csv': CSV })
    expect(await runCli(['imap', identity, '-i', path])).toMatchObject({ stdout: ROWS, exitCode: 0 })
  })

  it('a header and nothing else is empty input; so is nothing at all', async () => {
    for (const input of ['a,b', '']) {
      const run = await runInParent(['map', identity, '--input-format', 'csv'], { input })
      expect(run).toMatchObject({ stdout: '', exitCode: 0 })
    }
  })

  it('a bad record ends the input with its place, after all before it', async () => {
    const path = tempSpace().write({ 'data.csv': 'a,b\n1,2\n\n3\n5,"6"\n' })
    const { stdout, stderr, exitCode } = await runInParent(['imap', identity, '-i', path])
    expect({ stdout, exitCode }).toEqual({ stdout: '{"a":"1","b":"2"}\n', exitCode: 4 })
    expect(stderr).toContain(`${path}:4:1: item 1: expected 2 fields as in the header, found 1`)
  })

  it('each bad record is one failed item in collect, with its text and place, and the next record is whole', async () => {
    const bad = {
      '3': '3:1: expected 2 fields as in the header, found 1',
      '3,x"y"': '5:1: a quote inside a field that does not begin with one',
      '3,"x"y': '7:1: text after a closing quote',
      '3,\xff': '9:1: invalid UTF-8',
    }
    const space = tempSpace()
    const text = `a,b\n1,2\n${Object.keys(bad).join('\n5,6\n')}\n7,"8\n9"\n`
    const path = space.write({ 'data.csv': Buffer.from(text, 'latin1') })
    const run = await runCli(['collect', identity, '-i', path, '--errors', space.path('errors.ndjson')])
    const five = '{"a":"5","b":"6"}\n'
    expect(run.stdout).toBe(`{"a":"1","b":"2"}\n${five.repeat(3)}{"a":"7","b":"8\\n9"}\n`)
    expect(run.exitCode).toBe(3)
    const errors = space.read('errors.ndjson').trimEnd().split('\n')
    for (const [i, [item, message]] of Object.entries(bad).entries()) {
      expect(run.stderr).toContain(`item ${2 * i + 1}: ${path}:${message}`)
      const written = { index: 2 * i + 1, kind: 'input', item: item.replace('\xff', '\ufffd') }
      expect(JSON.parse(errors[i]!)).toMatchObject(written)
    }
  })

  it('a quote that is never closed is a torn input, in collect too', async () => {
    const run = await runInParent(['collect', identity, '--input-format', 'csv'], {
      input: 'a,b\n1,2\n3,"x\n4,5\n',
    })
    expect(run).toMatchObject({ stdout: '{"a":"1","b":"2"}\n', exitCode: 4 })
    expect(run.stderr).toContain('<stdin>:3:1: item 1: a quote that is opened here is never closed')
  })

  it('a name that stands twice in the header, and bad UTF-8, are told with their place', async () => {
    const twice = await runInParent(['map', identity, '--input-format', 'csv'], { input: 'a,b,a\n1,2,3\n' })
    expect(twice.exitCode).toBe(4)
    expect(twice.stderr).toContain('<stdin>:1:1: the header names "a" twice')
    const bytes = Buffer.from('a,b\n1,2\n3,\xff\n', 'latin1')
    const bad = await runInParent(['imap', identity, '--input-format', 'csv'], { input: bytes })
    expect(bad).toMatchObject({ stdout: '{"a":"1","b":"2"}\n', exitCode: 4 })
    expect(bad.stderr).toContain('<stdin>:3:3: item 1: invalid UTF-8')
  })

  it('is streamed: the first record comes out while the input is open', async () => {
    const { child, ended } = startCli(['imap', identity, '--input-format', 'csv'])
    child.stdin?.write('a\n1\n')
    const [first] = await once(child.stdout!, 'data')
    expect(String(first)).toBe('{"a":"1"}\n')
    child.stdin?.end()
    expect((await ended()).exitCode).toBe(0)
  })

  it.each(['map', 'collect'])('with CR line ends is refused by %s, not read as no items', async (command) => {
    const run = await runInParent([command, identity, '--input-format', 'csv'], { input: 'a,b\r1,2\r3,4\r' })
    expect(run).toMatchObject({ stdout: '', exitCode: 4 })
    expect(run.stderr).toContain('<stdin>:1:1: a carriage return without a line feed')
  })

  it('whose last record is torn ends collect with code 4, after a bad record has failed', async () => {
    const run = await runInParent(['collect', identity, '--input-format', 'csv'], {
      input: 'a,b\n1,"x"y\n2,3\n4',
    })
    expect(run.stdout).toBe('{"a":"2","b":"3"}\n')
    expect(run.stderr).toContain('text after a closing quote')
    expect(run.stderr).toContain(
      '<stdin>:4:1: item 2: expected 2 fields as in the header, found 1; the last line is torn',
    )
    expect(run.exitCode).toBe(4)
  })
})

it('TSV is divided by tabs, and an inch mark in it is a character', async () => {
  const path = tempSpace().write({ 'data.tsv': 'size\tnote\n5" disk\ta,b\n' })
  expect((await runInParent(['imap', identity, '-i', path])).stdout).toBe(
    '{"size":"5\\" disk","note":"a,b"}\n',
  )
})

describe('compressed files', () => {
  it.each([
    ['gz', gzipSync],
    ['br', brotliCompressSync],
  ])('.%s is unpacked, and the name inside tells the format', async (extension, pack) => {
    const path = tempSpace().write({ [`data.csv.${extension}`]: pack(CSV) })
    expect((await runCli(['imap', identity, '-i', path])).stdout).toBe(ROWS)
  })

  it('one that is cut off, or is none, is exit 4', async () => {
    const space = tempSpace()
    const cut = space.write({ 'cut.ndjson.gz': gzipSync(lines(1, 2, 3)).subarray(0, 20) })
    const run = await runInParent(['map', identity, '-i', cut])
    expect(run).toMatchObject({ stdout: '', exitCode: 4 })
    expect(run.stderr).toContain(`cannot read ${cut}: unexpected end of file`)
    const none = space.write({ 'none.gz': '1\n' })
    expect((await runInParent(['imap', identity, '-i', none])).stderr).toContain('incorrect header check')
  })

  it.each([
    [
      'a .br file with data after its end',
      'br',
      Buffer.concat([brotliCompressSync('1\n'), Buffer.from('2\n')]),
    ],
    [
      'a second .gz member that is torn',
      'gz',
      Buffer.concat([gzipSync('1\n'), gzipSync('2\n').subarray(0, 12)]),
    ],
  ])('%s is exit 4, after the items before the fault', async (_, extension, bytes) => {
    const path = tempSpace().write({ [`data.ndjson.${extension}`]: bytes })
    const run = await runInParent(['imap', identity, '-i', path])
    expect(run).toMatchObject({ stdout: '1\n', exitCode: 4 })
    expect(run.stderr).toMatch(/cannot read .*(other data after the end|unexpected end of file)/)
  })

  it('.zst is unpacked where Node can, else the way round it is told', async () => {
    const path = tempSpace().write({ 'data.ndjson.zst': Buffer.from('28b52ffd2004210000310a32', 'hex') })
    const { stderr, exitCode } = await runInParent(['imap', identity, '-i', path])
    expect(exitCode).toBe(4)
    expect(stderr).toMatch(/has no zstd; unpack it first: zstd -dc|cannot read/)
  })
})

describe('--glob', () => {
  const job = `${process.cwd()}/${identity}`

  it('gives the paths that match, sorted, each once, of several patterns, ranges, odd names and circles of links', async () => {
    const space = tempSpace()
    const letters = [...'abcdefg']
    const linked = letters.map((name) => `l/${name}/x\n${name}.js`)
    const numbered = Array.from({ length: 12 }, (_, i) => `r/${i + 1}.dat`)
    const wanted = ['a.txt', 'b,c.md', 'b.txt', 'd.png', 'sub/c.txt', ...numbered, ...linked]
    const others = ['b', 'c.md', 'e.jpg', 'r/13.dat']
    space.write(Object.fromEntries([...wanted, ...others].map((name) => [name, ''])))
    for (const from of letters)
      for (const to of letters) if (from !== to) symlinkSync(`../${to}`, space.path(`l/${from}/${to}`))
    const patterns = ['**/*.txt', '*.{png,gif}', 'b,c.md', 'r/{1..12}.dat', 'l/**/*.js', 'a.*']
    const args = ['imap', job, ...patterns.flatMap((pattern) => ['--glob', pattern])]
    const { stdout } = await runCli(args, { cwd: space.dir })
    expect(stdout).toBe(lines(...wanted.sort()))
  })

  it('is exit 4 for a pattern without a match, also beside one that matches', async () => {
    const space = tempSpace()
    space.write({ 'a.txt': '' })
    const run = await runInParent(['collect', job, '--glob', '*.txt', '--glob', '*.gif'], { cwd: space.dir })
    expect(run).toMatchObject({ stdout: '', exitCode: 4 })
    expect(run.stderr).toContain(`no file matches '*.gif' in ${space.dir}`)
  })
})

describe('--only', () => {
  it('runs these items, with their own indexes, in input order; beyond the end is ignored', async () => {
    const run = await runCli(['collect', fixture('context-echo'), '--only', '8-,2,0-1,1'], {
      input: lines(...Array(10).keys()),
    })
    const rows = run.stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(rows.map(({ index }) => index)).toEqual([0, 1, 2, 8, 9])
  })

  it('ends an endless input once nothing more is wanted', async () => {
    const { stdout } = await runShell(`yes 7 | poolrun imap ${identity} -j 0 --only 3-4`)
    expect(stdout).toBe('7\n7\n')
  })

  it('names the index that failed', async () => {
    const run = await runInParent(['map', fixture('throws-error'), '--only', '1-'], { input: lines(0, 1, 2) })
    expect(run.stderr).toContain('RemoteTraceback: item 2, ')
    expect(run.stderr).toContain('item 2 failed, stopped (fail-fast): 1 ok, 1 failed')
  })
})
