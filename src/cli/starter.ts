// `poolrun init`: writes a starter job and sample data for it. Never overwrites a file.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OutputError, UsageError } from '../errors/classes.js'

const JOB = `// A job is a module that exports a function. poolrun calls it for every item, in several processes in parallel.
// The import is type-only, so this file also runs where poolrun is not installed locally.
import type { TaskContext } from 'poolrun'

interface Item {
  name: string
  size: number
}

let unit = 'bytes'

// Optional: called once in every worker, before its first item, with the arguments from --init-args.
export function initializer(name?: string) {
  if (name !== undefined) unit = name
}

// The return value is written as one line of JSON. An error fails this item only:
//   poolrun map      stops at the first failure and writes nothing
//   poolrun imap     writes all results before the failure, then stops
//   poolrun collect  logs the failure and continues with the other items
export default async function task(item: Item, { index, signal }: TaskContext) {
  // Pass the signal on to fetch, timers and so on: it aborts when the item is cancelled or times out.
  signal.throwIfAborted()
  if (item.size < 0) throw new RangeError(\`\${item.name} has a negative size: \${item.size}\`)
  return { index, name: item.name, size: \`\${item.size} \${unit}\` }
}
`

const ITEMS = `{"name":"readme","size":4096}
{"name":"broken","size":-1}
{"name":"photo","size":2400000}
`

/** Writes the files and returns the text to print. @throws UsageError, OutputError */
export function writeStarter(folder: string): string {
  const job = join(folder, 'job.ts')
  const items = join(folder, 'items.ndjson')
  try {
    // Not `recursive`: under /proc, where no folder can be created, Node never returns from it.
    if (!existsSync(folder)) mkdirSync(folder)
    // Both or neither.
    for (const path of [job, items]) if (existsSync(path)) throw alreadyExists(path)
    writeFileSync(job, JOB, { flag: 'wx' })
    writeFileSync(items, ITEMS, { flag: 'wx' })
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException
    if (error instanceof UsageError) throw error
    if (code === 'EEXIST') throw alreadyExists(path ?? folder)
    throw new OutputError(`cannot write to ${folder}: ${message}`, { cause: error })
  }
  return `Wrote ${job} and ${items}. Next, run:

  poolrun collect ${shellQuoted(job)} -i ${shellQuoted(items)}

One of the three items fails, to show what a failure looks like. 'poolrun collect --help' lists the options.
`
}

function alreadyExists(path: string): UsageError {
  return new UsageError(
    `${path} already exists and was not changed; choose another folder: poolrun init <folder>`,
  )
}

function shellQuoted(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
