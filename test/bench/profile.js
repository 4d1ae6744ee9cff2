// Where the time goes: runs one Node command and profiles it and everything that it starts: the functions in
// which each process spent most time itself. Knows no row.
//
//   node test/bench/profile.js bin/poolrun.js imap test/bench/programs/identity.mjs -i records.ndjson
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fileURLToPath } from 'node:url'

const LINES = 15

const preload = JSON.stringify(fileURLToPath(new URL('profile-preload.cjs', import.meta.url)))
const folder = mkdtempSync(path.join(os.tmpdir(), 'poolrun-profile-'))
try {
  const env = { ...process.env, NODE_OPTIONS: `--require ${preload}`, PROFILE_FOLDER: folder }
  spawnSync(process.execPath, process.argv.slice(2), { stdio: ['inherit', 'ignore', 'inherit'], env })
  for (const file of readdirSync(folder))
    print(JSON.parse(readFileSync(path.join(folder, file), 'utf8')), file)
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function print({ nodes, samples, timeDeltas }, file) {
  const byId = new Map(nodes.map((node) => [node.id, node]))
  for (const node of nodes) for (const child of node.children ?? []) byId.get(child).caller = node
  const self = new Map()
  let total = 0
  samples.forEach((id, at) => {
    const name = nameOf(byId.get(id))
    self.set(name, (self.get(name) ?? 0) + timeDeltas[at])
    total += timeDeltas[at]
  })
  const idle = self.get('(idle)') ?? 0
  const ms = (microseconds) => `${(microseconds / 1000).toFixed(0)} ms`
  console.log(`\n${file}: ${ms(total)}, of which idle ${ms(idle)}`)
  self.delete('(idle)')
  const top = [...self].sort((a, b) => b[1] - a[1]).slice(0, LINES)
  for (const [name, time] of top)
    console.log(
      `  ${((100 * time) / (total - idle)).toFixed(1).padStart(5)} %  ${ms(time).padStart(8)}  ${name}`,
    )
}

/** What is Node's own says little without who asked for it. */
function nameOf(node) {
  if (isOwn(node)) return placeOf(node)
  let asked = node.caller
  while (asked !== undefined && !isOwn(asked)) asked = asked.caller
  return asked === undefined ? placeOf(node) : `${placeOf(node)}  for ${placeOf(asked)}`
}

function isOwn({ callFrame }) {
  return callFrame.url.startsWith('file:')
}

function placeOf({ callFrame: { functionName, url, lineNumber } }) {
  return `${functionName || '(anonymous)'}${url === '' ? '' : `  ${path.basename(url)}:${lineNumber + 1}`}`
}
