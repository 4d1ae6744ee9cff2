// Performs a scenario with the real command line: feeds it, kills its workers, waits for its exit within a hard limit.
// Returns what was observed, without judging it.
import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { killMarked, listMarked, MARK, waitUntilNoneLeft } from '../helpers/no-orphans.js'
import { createRandom } from '../helpers/random.js'
import { argumentsOf, inputOf, type Scenario } from './scenario.js'

export interface Observed {
  readonly args: readonly string[]
  readonly exitCode: number | null
  readonly signal: string | null
  readonly stdout: string
  readonly stderr: string
  /** Lines `index attempt pid`, one per item that began. */
  readonly begun: readonly string[]
  /** Lines `index outcome`, one per item whose callback was called. */
  readonly settled: readonly string[]
  readonly kills: number
  readonly durationMs: number
  /** What only this module can see: a run that hangs, processes left behind. */
  readonly troubles: readonly string[]
}

export interface Bench {
  readonly root: string
  readonly cacheDir: string
  /** A run that takes longer counts as hanging. */
  readonly limitMs: number
}

const KEEP = ['PATH', 'HOME', 'LANG', 'TMPDIR']
let runs = 0

export async function perform(scenario: Scenario, { root, cacheDir, limitMs }: Bench): Promise<Observed> {
  const folder = mkdtempSync(join(tmpdir(), 'poolrun-chaos-'))
  const mark = `chaos-${process.pid}-${++runs}`
  const log = join(folder, 'begun')
  const settledLog = join(folder, 'settled')
  const input = join(folder, 'input')
  for (const file of [log, settledLog]) writeFileSync(file, '')
  writeFileSync(input, inputOf(scenario))
  const args = argumentsOf(scenario, {
    job: 'test/chaos/job/job.ts',
    callbacks: 'test/chaos/job/callbacks.ts',
    input,
  })
  const env = {
    ...Object.fromEntries(
      KEEP.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
    ),
    XDG_CACHE_HOME: cacheDir,
    CHAOS_LOG: log,
    CHAOS_SETTLED: settledLog,
    CHAOS_LEAST_MS: scenario.cheap ? '0' : '0.05',
    [MARK]: mark,
  }
  const began = performance.now()
  const troubles: string[] = []
  try {
    const child = spawn(process.execPath, [join(root, 'bin/poolrun.js'), ...args], { cwd: root, env })
    const over = new AbortController()
    const streams = [collectText(child.stdout), collectText(child.stderr)] as const
    const ended = new Promise<{ exitCode: number | null; signal: string | null }>((resolve) => {
      child.on('close', (exitCode, signal) => resolve({ exitCode, signal }))
    })
    void feed(child, scenario, over.signal)
    const killing = killWorkers(scenario, mark, log, over.signal)
    const { interrupt } = scenario
    if (interrupt !== undefined) setTimeout(() => child.kill(interrupt.signal), interrupt.afterMs).unref()
    const late = setTimeout(() => {
      troubles.push(`has not exited after ${limitMs} ms; still running:\n${listMarked(mark).join('\n')}`)
      killMarked(mark)
    }, limitMs)
    const end = await ended
    clearTimeout(late)
    const durationMs = performance.now() - began
    over.abort()
    await waitUntilNoneLeft(mark, 'the run', 2_000).catch((error: Error) => troubles.push(error.message))
    const lines = (file: string) => readFileSync(file, 'utf8').split('\n').filter(Boolean)
    return {
      args,
      ...end,
      stdout: streams[0](),
      stderr: streams[1](),
      begun: lines(log),
      settled: lines(settledLog),
      kills: await killing,
      durationMs,
      troubles,
    }
  } finally {
    killMarked(mark)
    rmSync(folder, { recursive: true, force: true })
  }
}

function collectText(stream: NodeJS.ReadableStream): () => string {
  const parts: Buffer[] = []
  stream.on('data', (part: Buffer) => parts.push(part))
  return () => Buffer.concat(parts).toString()
}

async function feed(
  { stdin }: ChildProcessWithoutNullStreams,
  scenario: Scenario,
  over: AbortSignal,
): Promise<void> {
  // A run that exits early closes the pipe.
  stdin.on('error', () => {})
  if (scenario.feed === 'file') return void stdin.end()
  const bytes = Buffer.from(inputOf(scenario))
  if (scenario.feed === 'pipe') return void stdin.end(bytes)
  const { int } = createRandom(scenario.seed + 1)
  const pieces = int(1, 40)
  for (let offset = 0; offset < bytes.length && !over.aborted; ) {
    const next = offset + int(1, Math.ceil((2 * bytes.length) / pieces))
    stdin.write(bytes.subarray(offset, next))
    offset = next
    await pause(int(0, 30))
  }
  stdin.end()
}

/** Only workers that have begun an item: a crash of one that is still starting ends the run, by contract. */
export async function killWorkers(
  scenario: Pick<Scenario, 'seed' | 'killEveryMs' | 'kills' | 'freezes'>,
  mark: string,
  log: string,
  over: AbortSignal,
): Promise<number> {
  const { seed, killEveryMs, kills: most, freezes } = scenario
  if (killEveryMs === undefined) return 0
  const { int, pick, chance } = createRandom(seed + 2)
  let kills = 0
  while (kills < most) {
    await pause(int(0, 2 * killEveryMs), undefined, { signal: over }).catch(() => {})
    if (over.aborted) break
    const alive = new Set(listMarked(mark).map((line) => line.slice(0, line.indexOf(' '))))
    const pids = new Set(
      readFileSync(log, 'utf8')
        .split('\n')
        .map((line) => line.split(' ')[2]),
    )
    const targets = [...pids].filter((pid) => pid !== undefined && alive.has(pid))
    if (targets.length === 0) continue
    try {
      process.kill(Number(pick(targets)), freezes && chance(0.5) ? 'SIGSTOP' : 'SIGKILL')
      kills++
    } catch {
      // has exited meanwhile
    }
  }
  return kills
}
