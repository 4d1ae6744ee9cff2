// Inputs beyond JSON and lines: CSV, TSV, compressed files, file patterns, chosen items.
import { once } from 'node:events'
import { symlinkSync } from 'node:fs'
import { brotliCompressSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { fixture, lines, runCli, runShell, startCli } from '../helpers/run-cli.js'
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
    for (const input of ['a,b\n', 'a,b', '']) {
      const run = await runCli(['map', identity, '--input-format', 'csv'], { input })
      expect(run).toMatchObject({ stdout: '', exitCode: 0 })
    }
  })

  it.each([
    ['too few fields', '3', 'expected 2 fields as in the header, found 1'],
    ['a quote inside a field', '3,x"y"', 'a quote inside a field that does not begin with one'],
    ['text behind a closing quote', '3,"x"y', 'text after a closing quote'],
  ])('%s ends the input with its place, after all before it', async (_, bad, message) => {
    const path = tempSpace().write({ 'data.csv': `a,b\n1,2\n\n${bad}\n5,"6"\n` })
    const { stdout, stderr, exitCode } = await runCli(['imap', identity, '-i', path])
    expect({ stdout, exitCode }).toEqual({ stdout: '{"a":"1","b":"2"}\n', exitCode: 4 })
    expect(stderr).toContain(`${path}:4:1: item 1: ${message}`)
  })

  it.each([
    ['3', 'expected 2 fields'],
    ['3,x"y"', 'a quote inside'],
    ['3,"x"y', 'text after'],
  ])('in collect %s is one failed item, and the next record is whole', async (bad, message) => {
    const space = tempSpace()
    const path = space.write({ 'data.csv': `a,b\n1,2\n${bad}\n5,"6\n7"\n` })
    const errors = space.path('errors.ndjson')
    const run = await runCli(['collect', identity, '-i', path, '--errors', errors])
    expect(run).toMatchObject({ stdout: '{"a":"1","b":"2"}\n{"a":"5","b":"6\\n7"}\n', exitCode: 3 })
    expect(run.stderr).toContain(`item 1: ${path}:3:1: ${message}`)
    expect(JSON.parse(space.read('errors.ndjson'))).toMatchObject({ index: 1, kind: 'input', item: bad })
  })

  it('a quote that is never closed is a torn input, in collect too', async () => {
    const run = await runCli(['collect', identity, '--input-format', 'csv'], {
      input: 'a,b\n1,2\n3,"x\n4,5\n',
    })
    expect(run).toMatchObject({ stdout: '{"a":"1","b":"2"}\n', exitCode: 4 })
    expect(run.stderr).toContain('<stdin>:3:1: item 1: a quote that is opened here is never closed')
  })

  it('a name that stands twice in the header, and bad UTF-8, are told with their place', async () => {
    const twice = await runCli(['map', identity, '--input-format', 'csv'], { input: 'a,b,a\n1,2,3\n' })
    expect(twice.exitCode).toBe(4)
    expect(twice.stderr).toContain('<stdin>:1:1: the header names "a" twice')
    const bytes = Buffer.concat([Buffer.from('a,b\n1,2\n3,'), Buffer.from([0xff, 0x0a])])
    const bad = await runCli(['imap', identity, '--input-format', 'csv'], { input: bytes })
    expect(bad).toMatchObject({ stdout: '{"a":"1","b":"2"}\n', exitCode: 4 })
    expect(bad.stderr).toContain('<stdin>:3:3: item 1: invalid UTF-8')
    const more = Buffer.concat([bytes, Buffer.from('5,6\n')])
    const on = await runCli(['collect', identity, '--input-format', 'csv'], { input: more })
    expect(on).toMatchObject({ stdout: '{"a":"1","b":"2"}\n{"a":"5","b":"6"}\n', exitCode: 3 })
    expect(on.stderr).toContain('item 1: <stdin>:3:1: invalid UTF-8')
  })

  it('is streamed: the first record comes out while the input is open', async () => {
    const { child, ended } = startCli(['imap', identity, '--input-format', 'csv'])
    child.stdin?.write('a\n1\n')
    const [first] = await once(child.stdout!, 'data')
    expect(String(first)).toBe('{"a":"1"}\n')
    child.stdin?.end()
    expect((await ended()).exitCode).toBe(0)
  })

  it('may end with a quote or a CR and no line end', async () => {
    const space = tempSpace()
    space.write({ 'a.csv': 'a,b\n1,"x"', 'b.csv': 'a,b\n1,2\r' })
    const run = (name: string) => runCli(['map', identity, '-i', space.path(name)])
    expect(await run('a.csv')).toMatchObject({ stdout: '{"a":"1","b":"x"}\n', exitCode: 0 })
    expect(await run('b.csv')).toMatchObject({ stdout: '{"a":"1","b":"2"}\n', exitCode: 0 })
  })

  it.each(['map', 'imap', 'collect'])(
    'with CR line ends is refused by %s, not read as no items',
    async (command) => {
      const run = await runCli([command, identity, '--input-format', 'csv'], { input: 'a,b\r1,2\r3,4\r' })
      expect(run).toMatchObject({ stdout: '', exitCode: 4 })
      expect(run.stderr).toContain('<stdin>:1:1: a carriage return without a line feed')
    },
  )

  it('has the same records when a read ends between the CR and LF of a blank line', async () => {
    const run = startCli(['imap', identity, '-j', '1', '--input-format', 'tsv'])
    run.child.stdin.write('a\tb\n1\t2\n\r')
    await once(run.child.stdout, 'data')
    run.child.stdin.end('\n\t"x\n9\t8"\n3\t4\n')
    const { stdout, exitCode } = await run.ended()
    expect(stdout).toBe('{"a":"1","b":"2"}\n{"a":"","b":"x\\n9\\t8"}\n{"a":"3","b":"4"}\n')
    expect(exitCode).toBe(0)
  })

  it('whose last record is torn ends collect with code 4, after a bad record has failed', async () => {
    const run = await runCli(['collect', identity, '--input-format', 'csv'], { input: 'a,b\n1,"x"y\n2,3\n4' })
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
  expect((await runCli(['imap', identity, '-i', path])).stdout).toBe('{"size":"5\\" disk","note":"a,b"}\n')
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
    const run = await runCli(['imap', identity, '-i', cut])
    expect(run.exitCode).toBe(4)
    expect(run.stderr).toContain(`cannot read ${cut}: unexpected end of file`)
    const none = space.write({ 'none.gz': '1\n' })
    expect((await runCli(['imap', identity, '-i', none])).stderr).toContain('incorrect header check')
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
    const run = await runCli(['imap', identity, '-i', path])
    expect(run).toMatchObject({ stdout: '1\n', exitCode: 4 })
    expect(run.stderr).toMatch(/cannot read .*(other data after the end|unexpected end of file)/)
    expect(await runCli(['map', identity, '-i', path])).toMatchObject({ stdout: '', exitCode: 4 })
  })

  it('.zst is unpacked where Node can, else the way round it is told', async () => {
    const path = tempSpace().write({ 'data.ndjson.zst': Buffer.from('28b52ffd2004210000310a32', 'hex') })
    const { stderr, exitCode } = await runCli(['imap', identity, '-i', path])
    expect(exitCode).toBe(4)
    expect(stderr).toMatch(/has no zstd; unpack it first: zstd -dc|cannot read/)
  })
})

describe('--glob', () => {
  const FILES = { 'b.txt': '', 'a.txt': '', 'sub/c.txt': '', 'd.png': '' }

  it('gives the paths that match, sorted, of several patterns', async () => {
    const space = tempSpace()
    space.write(FILES)
    const args = ['imap', `${process.cwd()}/${identity}`, '--glob', '**/*.txt', '--glob', '*.{png,gif}']
    const { stdout } = await runCli(args, { cwd: space.dir })
    expect(stdout).toBe(lines('a.txt', 'b.txt', 'd.png', 'sub/c.txt'))
  })

  it('expands ranges, finds names with line breaks, and gives a file once though folders link in circles', async () => {
    const space = tempSpace()
    const names = Array.from({ length: 12 }, (_, i) => `r/${i + 1}.txt`)
    space.write(Object.fromEntries(names.map((name) => [name, ''])))
    const job = `${process.cwd()}/${identity}`
    const ranged = await runCli(['map', job, '--glob', 'r/{1..12}.txt'], { cwd: space.dir })
    expect(ranged.stdout).toBe(lines(...names.sort()))
    const letters = [...'abcdefg']
    space.write(Object.fromEntries(letters.map((name) => [`l/${name}/x\n${name}.js`, ''])))
    for (const from of letters)
      for (const to of letters) if (from !== to) symlinkSync(`../${to}`, space.path(`l/${from}/${to}`))
    const linked = await runCli(['map', job, '--glob', 'l/**/*.js'], { cwd: space.dir })
    expect(linked.stdout).toBe(lines(...letters.map((name) => `l/${name}/x\n${name}.js`)))
  })

  it('is exit 4 for a pattern without a match beside one that matches', async () => {
    const space = tempSpace()
    space.write(FILES)
    const args = ['collect', `${process.cwd()}/${identity}`, '--glob', '*.txt', '--glob', '*.gif']
    const run = await runCli(args, { cwd: space.dir })
    expect(run).toMatchObject({ stdout: '', exitCode: 4 })
    expect(run.stderr).toContain(`no file matches '*.gif' in ${space.dir}`)
  })

  it('may be a name with a comma', async () => {
    const space = tempSpace()
    space.write({ 'a,b.txt': '', 'b.txt': '', a: '' })
    const run = await runCli(['map', `${process.cwd()}/${identity}`, '--glob', 'a,b.txt'], { cwd: space.dir })
    expect(run.stdout).toBe(lines('a,b.txt'))
  })

  it('names pattern and folder where nothing matches', async () => {
    const { dir } = tempSpace()
    const run = await runCli(['map', `${process.cwd()}/${identity}`, '--glob', '*.txt'], { cwd: dir })
    expect(run.exitCode).toBe(4)
    expect(run.stderr).toContain(`no file matches '*.txt' in ${dir}`)
  })

  it('is not to be mixed with other inputs', async () => {
    for (const more of [['1'], ['-i', 'x'], ['--input-format', 'csv']])
      expect((await runCli(['map', identity, '--glob', '*', ...more])).exitCode).toBe(2)
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
    const { stdout } = await runShell(`yes 7 | node bin/poolrun.js imap ${identity} --only 3-4`)
    expect(stdout).toBe('7\n7\n')
  })

  it('names the index that failed', async () => {
    const args = ['map', fixture('throws-error'), '--only', '1-', '-j', '1']
    const run = await runCli(args, { input: lines(0, 1, 2) })
    expect(run.stderr).toContain('RemoteTraceback: item 2, ')
    expect(run.stderr).toContain('item 2 failed, stopped (fail-fast): 1 ok, 1 failed')
  })

  it.each(['5-2', 'x', '-3', '1,,2'])('%s is refused', async (ranges) => {
    const { stderr, exitCode } = await runCli(['map', identity, `--only=${ranges}`, '1'])
    expect(exitCode).toBe(2)
    expect(stderr).toContain('expected indexes and ranges such as 0,5-9,20-')
  })
})

it('an unknown format is answered with the list of those there are', async () => {
  const { stderr, exitCode } = await runCli(['map', identity, '--input-format', 'xml', '-i', 'x'])
  expect(exitCode).toBe(2)
  expect(stderr).toContain(
    "invalid value 'xml' for --input-format: expected json, ndjson, lines, csv, tsv or nul",
  )
})
