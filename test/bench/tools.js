// What rows share: where things are, which tools this machine has, and the data they read. Knows no row.
import { execFileSync } from 'node:child_process'
import { closeSync, existsSync, openSync, writeSync } from 'node:fs'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

export const node = process.execPath
export const poolrun = [node, fileURLToPath(new URL('../../bin/poolrun.js', import.meta.url))]

/** Path of a file in programs/. */
export function program(name) {
  return fileURLToPath(new URL(`programs/${name}`, import.meta.url))
}

/** First line of what it prints; `undefined` where it cannot be run. */
export function firstLine(command, ...args) {
  try {
    const stdio = ['ignore', 'pipe', 'ignore']
    return execFileSync(command, args, { encoding: 'utf8', stdio }).split('\n', 1)[0]
  } catch {
    return undefined
  }
}

export const python = firstLine('python3', '--version') && 'python3'

/** GNU's; moreutils has another program of that name. */
export const parallel = firstLine('parallel', '--version')?.startsWith('GNU') ? 'parallel' : undefined

export const jq = firstLine('jq', '--version') && 'jq'

/** The command for a line of `sh`. */
export function shell(line) {
  return ['sh', '-c', line]
}

/** Installs the other pools on first use; `undefined` where that fails. */
export function peers() {
  const folder = fileURLToPath(new URL('peers', import.meta.url))
  const all = ['jest-worker', 'tinypool', 'workerpool']
  const installed = [...all, 'piscina']
  if (installed.some((name) => !existsSync(path.join(folder, 'node_modules', name)))) {
    try {
      execFileSync('npm', ['ci', '--prefix', folder, '--no-audit', '--no-fund'], { stdio: 'ignore' })
    } catch {
      return undefined
    }
  }
  return { program: path.join(folder, 'pool.mjs'), names: all }
}

const RECORD_BYTES = 262

/** Records of 262 bytes, newline included, as NDJSON or as one array. Written once for each name. */
export function records(folder, count, format) {
  const file = path.join(folder, `${count}.${format}`)
  if (existsSync(file)) return file
  const fd = openSync(file, 'w')
  const between = format === 'json' ? ',\n' : '\n'
  if (format === 'json') writeSync(fd, '[')
  for (let from = 0; from < count; from += 10_000) {
    const batch = Array.from({ length: Math.min(10_000, count - from) }, (_, i) => record(from + i))
    writeSync(fd, (from > 0 && format === 'json' ? between : '') + batch.join(between))
    if (format !== 'json') writeSync(fd, '\n')
  }
  if (format === 'json') writeSync(fd, ']\n')
  closeSync(fd)
  return file
}

/** Records with quoted fields, some of which contain commas and quotes. */
export function csvRecords(folder, count) {
  return written(path.join(folder, `${count}.csv`), 'id,name,email,note,city,score\n', count, (id) => {
    const note = id % 3 === 0 ? `"said ""hello"", and left"` : `"note, number ${id}"`
    return `${id},"record ${id}",user${id}@example.org,${note},"Springfield, IL",${(id * 7919) % 1000}\n`
  })
}

/** Numbers from `first` on, one per line. */
export function numbers(folder, count, first = 0) {
  return written(path.join(folder, `${first}-${count}.numbers`), '', count, (n) => `${first + n}\n`)
}

/** Short NDJSON records of about 20 bytes. */
export function shortRecords(folder, count) {
  return written(path.join(folder, `${count}.short`), '', count, (id) => `{"id":${id},"on":true}\n`)
}

function written(file, head, count, line) {
  if (existsSync(file)) return file
  const fd = openSync(file, 'w')
  writeSync(fd, head)
  for (let from = 0; from < count; from += 10_000)
    writeSync(fd, Array.from({ length: Math.min(10_000, count - from) }, (_, n) => line(from + n)).join(''))
  closeSync(fd)
  return file
}

function record(id) {
  const item = {
    id,
    name: `record ${id}`,
    email: `user${id}@example.org`,
    active: id % 2 === 0,
    score: (id * 7919) % 1000,
    tags: ['alpha', 'beta', 'gamma'],
    address: { street: `${id % 900} Main Street`, city: 'Springfield', zip: String(10000 + (id % 80000)) },
    note: '',
  }
  item.note = 'x'.repeat(RECORD_BYTES - 1 - JSON.stringify(item).length)
  return JSON.stringify(item)
}
