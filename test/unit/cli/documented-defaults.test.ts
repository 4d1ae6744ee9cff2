// The hand-written pages of docs/ list every option of the library and state the defaults of src/defaults.ts.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { countText, mebibyteText, RESTART_LIMIT_TEXT } from '../../../src/cli/default-text.js'
import {
  BUFFER_BYTES,
  CHUNK_BYTES,
  CONCURRENCY,
  GRACE_MS,
  INIT_TIMEOUT_MS,
  KILL_AFTER_MS,
  POOL_BUFFER_ITEMS_PER_WORKER,
  RETRIES,
  RETRY_DELAY_MS,
  RETRY_ON,
} from '../../../src/defaults.js'
import type { Callbacks, CollectOptions, PoolOptions } from '../../../src/pool/types.js'

const read = (page: string) => readFileSync(new URL(`../../../docs/${page}`, import.meta.url), 'utf8')

/** The rows of the first table after a line that starts with `before`, as cells without backquotes. */
function tableAfter(text: string, before: string): string[][] {
  const lines = text.slice(text.indexOf(`\n${before}`)).split('\n')
  const rows = lines.slice(lines.findIndex((line) => line.startsWith('|')) + 2)
  const end = rows.findIndex((line) => !line.startsWith('|'))
  return rows.slice(0, end).map((row) =>
    row
      .replaceAll('`', '')
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

test('docs/library.md lists every option of a pool with its default', () => {
  const rows = tableAfter(read('library.md'), '## Pool options')
  const documented = Object.fromEntries(rows.map(([name, , fallback]) => [name, fallback]))
  expect(documented).toEqual({
    processes: 'one per processor',
    initializer: "'initializer', if exported",
    initArgs: '[]',
    initTimeout: countText(INIT_TIMEOUT_MS),
    concurrency: String(CONCURRENCY),
    timeout: 'none',
    retries: String(RETRIES),
    retryDelay: String(RETRY_DELAY_MS),
    retryOn: RETRY_ON.join(', '),
    maxTasksPerChild: 'none',
    maxMemory: 'none',
    maxWorkerRestarts: RESTART_LIMIT_TEXT,
    killAfter: countText(KILL_AFTER_MS),
    env: 'none',
    execArgv: 'none',
    onWorkerOutput: 'lines go to stderr',
  } satisfies Record<keyof PoolOptions, string>)
})

test('docs/library.md lists every option of a call with its default', () => {
  const rows = tableAfter(read('library.md'), 'Options of a call:')
  const documented = Object.fromEntries(
    rows.flatMap(([names, , fallback]) => names!.split(', ').map((name) => [name, fallback])),
  )
  expect(documented).toEqual({
    timeout: 'that of the pool',
    retries: 'that of the pool',
    retryDelay: 'that of the pool',
    retryOn: 'that of the pool',
    signal: 'none',
    rate: 'none',
    chunkSize: 'adapts to their measured cost and size',
    bufferSize: `${countText(POOL_BUFFER_ITEMS_PER_WORKER)} per worker, fewer if arguments are large`,
    callback: 'none',
    errorCallback: 'none',
    onFailure: 'a warning',
    unordered: 'false',
  } satisfies Record<keyof (CollectOptions<unknown> & Callbacks<unknown>), string>)
})

test.each([
  ['guarantees.md', RESTART_LIMIT_TEXT],
  ['guarantees.md', `(${KILL_AFTER_MS / 1000} seconds by default)`],
  ['guarantees.md', `give running ones ${GRACE_MS / 1000} seconds`],
  ['performance.md', `at most ${CHUNK_BYTES / 1024} KiB`],
  ['cli.md', `bounded by ${mebibyteText(BUFFER_BYTES)}`],
  ['cli.md', `running ones get ${GRACE_MS / 1000} seconds`],
])('docs/%s states "%s"', (page, text) => {
  expect(read(page).replaceAll(/\s+/g, ' ')).toContain(text)
})
