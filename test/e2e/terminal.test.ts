// On a real terminal: live output disappears without a trace, cuts no line, and never hides the cursor.
import { describe, expect, it } from 'vitest'
import { normalise } from '../helpers/normalise.js'
import { fixture, lines, watchCli } from '../helpers/run-cli.js'
import { tempSpace } from '../helpers/temp-space.js'
import { hasTerminal, runOnTerminal, runScriptOnTerminal } from '../helpers/terminal.js'

const BEGIN_FRAME = '\u001b[?2026h'
const HIDE_CURSOR = '\u001b[?25l'

describe.runIf(hasTerminal)('on a terminal', () => {
  it('results, job output and failures look as they do without live output', async () => {
    const space = tempSpace()
    space.write({ 'items.ndjson': lines(0, 1, 2, 3, 4, 5, 6, 7) })
    const run = (mode: string) =>
      runOnTerminal(
        [
          'collect',
          fixture('prints-slowly'),
          '-j',
          '1',
          '-i',
          space.path('items.ndjson'),
          '--progress',
          mode,
        ],
        { columns: 60 },
      ).ended()
    const [live, without] = await Promise.all([run('auto'), run('none')])
    expect(live.raw).toContain(BEGIN_FRAME)
    expect(live.raw).toMatch(/\d\/8 .* failed[^\n]*\n[^\n]*worker 0 +item \d/)
    expect(without.raw).not.toContain(BEGIN_FRAME)
    // In which order a result and the next item's output arrive is not the subject.
    const shown = ({ screen }: { screen: string[] }) => screen.map(normalise).sort()
    expect(shown(live)).toEqual(shown(without))
    expect(live.screen).toContain('in the middle of 7, 途中')
    expect(live.screen).toContain("> 7 |   if (item === 2) throw new Error('boom')")
    expect(live.screen.at(-1)).toBe('poolrun collect: 7 ok, 1 failed (item 2)')
    expect([live.status, without.status]).toEqual(['code 3', 'code 3'])
  })

  it('Ctrl-C leaves the summary line and a cursor', async () => {
    const run = runOnTerminal(['map', fixture('slow'), '-j', '1', '60000'])
    await run.shows('0/1')
    run.type('\u0003')
    await run.shows('interrupted by SIGINT')
    run.type('\u0003')
    const { raw, screen, status } = await run.ended()
    expect(raw).not.toContain(HIDE_CURSOR)
    expect(screen.join('\n')).not.toMatch(/worker \d|⠋|0\/1/)
    expect(screen.at(-1)).toBe('poolrun map: interrupted by SIGINT: 0 ok, 1 cancelled while running (item 0)')
    expect(status).toBe('signal 2')
  })

  it('a short run has no live output', async () => {
    const { raw, status } = await runOnTerminal(['map', fixture('identity'), '-j', '0', '1', '2']).ended()
    expect(raw).not.toContain(BEGIN_FRAME)
    expect(status).toBe('code 0')
  })

  it('live output is ASCII if the locale is not UTF-8, and keeps no run alive that waits for nothing', async () => {
    const space = tempSpace()
    const callbacks = space.write({ 'cb.mjs': 'export const callback = () => new Promise(() => {})\n' })
    const run = runOnTerminal(['map', fixture('slow'), '-j', '1', '900', '--callbacks', callbacks], {
      // Python would change LANG=C for its children.
      env: { LC_ALL: 'C' },
    })
    const { raw, screen, status } = await run.ended()
    expect(raw).toContain(BEGIN_FRAME)
    expect(raw).toContain('0/1')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII is the subject
    expect(raw).toMatch(/^[\x00-\x7f]*$/)
    expect(screen.join(' ')).toContain('the promise of the callback never settled')
    expect(status).toBe('code 1')
  })

  it('prints no block over what the reader of a pipe writes there', async () => {
    const run = runScriptOnTerminal(
      `poolrun imap ${fixture('slow')} --job-output none -j 1 300 301 302 303 304 | cat`,
    )
    const { raw, screen, status } = await run.ended()
    expect(raw).not.toContain(BEGIN_FRAME)
    // The reader may write the last one after the summary.
    const summary = 'poolrun imap: 5 ok'
    expect(screen).toContain(summary)
    expect(screen.filter((line) => line !== summary)).toEqual(['300', '301', '302', '303', '304'])
    expect(status).toBe('code 0')
  })

  it('prints a block if the reader of a pipe gets nothing', async () => {
    const space = tempSpace()
    const out = space.path('out')
    const run = runScriptOnTerminal(
      `poolrun map ${fixture('slow')} --job-output none -j 1 900 -o ${out} | cat`,
    )
    const { raw, screen } = await run.ended()
    expect(raw).toContain(BEGIN_FRAME)
    expect(screen).toEqual(['poolrun map: 1 ok'])
  })

  it.each([
    ['the reader of stdout, with --progress bar', '--progress bar', '| cat'],
    [
      'another process',
      '-o /dev/null',
      '& while kill -0 $!; do sleep 0.6; echo "foreign $((++n))"; done 2>&-',
    ],
  ])('keeps the lines that %s writes while a block is shown', async (_who, options, writer) => {
    const run = runScriptOnTerminal(
      `poolrun imap ${fixture('slow')} --job-output none -j 1 1000 301 302 303 304 ${options} ${writer}`,
      { rows: 12 },
    )
    const { raw, screen } = await run.ended()
    expect(raw).toContain(BEGIN_FRAME)
    const foreign = [...raw.matchAll(/(?<!\d)(foreign \d+|\d{3,4})\r\n/g)].map(([, text]) => text)
    expect(foreign.length).toBeGreaterThan(1)
    expect(screen.filter((line) => line !== 'poolrun imap: 5 ok')).toEqual(foreign)
  })
})

it('SIGUSR2 prints what the run is doing, without any effect on it', async () => {
  const space = tempSpace()
  const run = watchCli(['map', fixture('waits-for-file'), '-j', '1', JSON.stringify(space.path('flag')), '7'])
  await run.printed(/^begun$/m)
  process.kill(run.child.pid!, 'SIGUSR2')
  await run.printed(/running/)
  space.write({ flag: '' })
  const { stdout, stderr, exitCode } = await run.ended()
  expect(
    normalise(stderr)
      .replaceAll(/\d+:\d\d|\d\.\d s/g, '<time>')
      .replaceAll(/ {2}"<tmp>.*"|, \d waiting/g, ''),
  ).toBe(
    'begun\n' +
      'poolrun map: 0 of 2 done (0%), 0 failed, <time> elapsed, 1 running\n' +
      '  worker 0 (pid <pid>)  item 0  <time>\n' +
      'poolrun map: 2 ok\n',
  )
  expect({ stdout, exitCode }).toEqual({ stdout: '"seen"\n7\n', exitCode: 0 })
})

it('--debug logs the lifecycle of a worker', async () => {
  const run = watchCli(['map', fixture('identity'), '-j', '1', '--debug', '1'])
  run.child.stdin.end()
  const { stdout, stderr } = await run.ended()
  expect(normalise(stderr).replaceAll(/\+\d+\.\d+ s/g, '+<time>')).toBe(
    'debug: +<time> worker 0 (pid <pid>) started\n' +
      'debug: +<time> worker 0 (pid <pid>) ready after <time>\n' +
      'debug: +<time> worker 0: 1 item at a time, from item 0 on\n' +
      'debug: +<time> worker 0: stopping\n' +
      'debug: +<time> worker 0 (pid <pid>) exited with code 0 after <time>, 1 item settled\n' +
      'poolrun map: 1 ok\n',
  )
  expect(stdout).toBe('1\n')
})
