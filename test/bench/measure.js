// Runs programs and times them, contestants in turn so that a busy machine is busy for all. Knows no row.
import { spawn } from 'node:child_process'
import { closeSync, existsSync, openSync, readFileSync } from 'node:fs'

/**
 * Whole-process milliseconds. stdin is a file or empty; output goes to /dev/null, the same for everyone.
 * A program that ends otherwise than expected is no measurement.
 */
export async function wholeProcess([command, ...args], { stdin, env, exitCode = 0 } = {}) {
  const { code, ms, stderr } = await execute(command, args, { stdin, env, stdout: 'ignore' })
  if (code === exitCode) return ms
  throw new Error(`${command} ${args.join(' ')}: exit ${code} instead of ${exitCode}\n${stderr}`)
}

/** For a program that does its own timing: the number that it prints. */
export async function printed([command, ...args]) {
  const { code, stdout, stderr } = await execute(command, args, { stdout: 'pipe' })
  const value = Number.parseFloat(stdout)
  if (code === 0 && Number.isFinite(value)) return value
  throw new Error(`${command} ${args.join(' ')}: exit ${code}, printed '${stdout.trim()}'\n${stderr}`)
}

/** Node 20 reads these certificates at each start, which takes 40 ms and would favour peers that start less often. */
const { NODE_EXTRA_CA_CERTS, ...environment } = process.env

function execute(command, args, { stdin, env, stdout }) {
  return new Promise((resolve, reject) => {
    const input = stdin === undefined ? 'ignore' : openSync(stdin, 'r')
    const began = performance.now()
    const child = spawn(command, args, { stdio: [input, stdout, 'pipe'], env: { ...environment, ...env } })
    if (stdin !== undefined) closeSync(input)
    const texts = { stdout: '', stderr: '' }
    for (const name of ['stdout', 'stderr'])
      child[name]?.setEncoding('utf8').on('data', (text) => {
        texts[name] = (texts[name] + text).slice(-4000)
      })
    let ms = 0
    child.on('error', reject)
    child.on('exit', () => {
      ms = performance.now() - began
    })
    child.on('close', (code, signal) => resolve({ code: code ?? signal, ms, ...texts }))
  })
}

/** The system tells how much memory a process has used at most: Linux does. */
export const knowsPeaks = existsSync('/proc/self/task')
const SAMPLE_MS = 20

/** Resolves when `child` ends, with the MiB that it has used at most; `ofLargest`: the largest of it and its children. */
export function peakMiB(child, { ofLargest = false } = {}) {
  return new Promise((resolve, reject) => {
    let peak = 0
    // The high-water mark only rises, so the last look before the end is the peak.
    const timer = setInterval(() => {
      for (const pid of [child.pid, ...(ofLargest ? childrenOf(child.pid) : [])])
        peak = Math.max(peak, peakMiBOf(pid))
    }, SAMPLE_MS)
    child.on('error', reject)
    child.on('exit', (code) => {
      clearInterval(timer)
      if (code === 0) resolve(peak)
      else reject(new Error(`${child.spawnargs.join(' ')}: exit ${code}`))
    })
  })
}

function childrenOf(pid) {
  return readProcess(`${pid}/task/${pid}/children`).trim().split(' ')
}

function peakMiBOf(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readProcess(`${pid}/status`))?.[1] ?? 0) / 1024
}

/** Empty where the process has ended. */
function readProcess(file) {
  try {
    return readFileSync(`/proc/${file}`, 'utf8')
  } catch {
    return ''
  }
}

/** `contestants`: name to a function that gives one measurement. Medians of `runs` rounds, each in turn. */
export async function alternate(contestants, runs) {
  const names = Object.keys(contestants)
  const seen = Object.fromEntries(names.map((name) => [name, []]))
  for (let round = 0; round < runs; round++) {
    // The first one has the colder caches.
    const order = round % 2 === 0 ? names : names.toReversed()
    for (const name of order) seen[name].push(await contestants[name]())
  }
  return Object.fromEntries(names.map((name) => [name, median(seen[name])]))
}

export function median(values) {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}
