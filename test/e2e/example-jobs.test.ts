// Runs the example jobs in jobs/ on their sample data, without a worker where the job needs none.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { lastLine, normalise } from '../helpers/normalise.js'
import { root, runCli, runShell } from '../helpers/run-cli.js'

const results = (stdout: string) =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line))
const PRODUCTS = ['--init-args', '["jobs/data/products.json"]']

it('checksum.ts, in the command that the README begins with, writes the digest and kind of every file', async () => {
  const [, block] = /^```sh\n(.*?)^```$/ms.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? []
  expect(block).toMatch(/^npm ci\nnpx poolrun .*\n$/)
  const run = await runShell(block!.replace(/^npm ci\nnpx /, ''))
  const files = results(run.stdout)
  for (const { path, size, sha256 } of files) {
    const bytes = readFileSync(join(root, path))
    expect({ size, sha256 }).toEqual({
      size: bytes.length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
    })
  }
  expect(files.map(({ kind }) => kind)).toEqual(['json', 'binary', 'png', 'empty', 'text', 'text', 'gzip'])
  expect(run.exitCode).toBe(0)
})

it('enrich.ts enriches 400 orders from a dictionary that each worker loads once', async () => {
  const run = await runCli([
    'imap',
    'jobs/enrich.ts',
    '-i',
    'jobs/data/orders.ndjson',
    ...PRODUCTS,
    '-j',
    '2',
  ])
  const orders = results(run.stdout)
  expect(orders).toHaveLength(400)
  expect(orders[0]).toEqual({
    order: '2025-0001',
    product: 'Water bottle',
    quantity: 3,
    total: expect.any(Number),
  })
  const enriched = [...run.stderr.matchAll(/^enriched (\d+) orders from 30 products$/gm)].map(([, n]) =>
    Number(n),
  )
  expect(enriched.reduce((sum, n) => sum + n, 0)).toBe(400)
  expect(run.exitCode).toBe(0)
})

it('enrich.ts with bad orders: collect writes the three good ones and reports the three bad ones', async () => {
  const run = await runCli([
    'collect',
    'jobs/enrich.ts',
    '-i',
    'jobs/data/orders-dirty.ndjson',
    ...PRODUCTS,
    '-j',
    '0',
  ])
  expect(results(run.stdout).map(({ order }) => order)).toEqual(['2025-0001', '2025-0003', '2025-0006'])
  expect(run.stderr).toContain('Error: order 2025-0002: no product XXX-000')
  expect(run.stderr).toMatch(/jobs\/data\/orders-dirty\.ndjson:4:\d+/)
  expect(run.stderr).toContain('RangeError: order 2025-0005: quantity is 0')
  expect(lastLine(run.stderr)).toMatch(/^poolrun collect: 3 ok, 3 failed \(items 1, 3, 4\)$/)
  expect(run.exitCode).toBe(3)
})

it('primes.ts counts the primes below two million', async () => {
  const run = await runCli(['starmap', 'jobs/primes.ts', '-i', 'jobs/data/ranges.json', '-j', '0'])
  expect(results(run.stdout).reduce((sum, n) => sum + n, 0)).toBe(148_933)
})

it('flaky.ts refuses every third record', async () => {
  const run = await runCli([
    'collect',
    'jobs/flaky.ts',
    '-i',
    'jobs/data/ids.txt',
    '--allow-failures=3',
    '-j',
    '0',
  ])
  expect(results(run.stdout)).toHaveLength(6)
  expect(run.stderr).toContain('ServiceUnavailable: record-3: try again later')
  expect(run.exitCode).toBe(0)
})

it('invoices.ts reports a bad amount with its chain of causes, root first', async () => {
  const run = await runCli(['imap', 'jobs/invoices.ts', '-j', '0', '-i', 'jobs/data/invoices.ndjson'])
  expect(results(run.stdout)).toEqual([
    { id: 'A-101', cents: 3940 },
    { id: 'A-102', cents: 12900 },
  ])
  const headers = normalise(run.stderr)
    .split('\n')
    .filter((line) => /^\w*Error: /.test(line))
  expect(headers).toEqual([
    'RangeError: not an amount: "free"',
    'Error: line "Delivery" has no amount',
    'Error: invoice A-103 cannot be settled',
    'Error: invoice A-103 cannot be settled',
  ])
  expect(run.exitCode).toBe(1)
})
