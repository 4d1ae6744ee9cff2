// `poolrun init`: a job to begin with, and data to run it over. Writes nothing over a file that is there.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { OutputError, UsageError } from '../errors/classes.js'

const JOB = `// A job is a module with a function; poolrun calls it for every item, in several processes at once.
// A type-only import: the job runs where poolrun is not installed, too.
import type { TaskContext } from 'poolrun'

interface Item {
  name: string
  size: number
}

let unit = 'bytes'

// Optional: called once in each worker, before its first item, with --init-args.
export function initializer(name?: string) {
  if (name !== undefined) unit = name
}

// What it returns is written as JSON, a line an item. What it throws fails this item and no other:
//   poolrun map      stops at the first failure and writes nothing
//   poolrun imap     writes everything before the failure, then stops
//   poolrun collect  logs each failure and goes on
export default async function task(item: Item, { index, signal }: TaskContext) {
  // Hand the signal on to what takes it (fetch, timers): it aborts when the item is cancelled or out of time.
  signal.throwIfAborted()
  if (item.size < 0) throw new RangeError(\`\${item.name} has a negative size: \${item.size}\`)
  return { index, name: item.name, size: \`\${item.size} \${unit}\` }
}
`

const ITEMS = `{"name":"readme","size":4096}
{"name":"broken","size":-1}
{"name":"photo","size":2400000}
`

/** What to print; the files are written. @throws UsageError, OutputError */
export function writeStarter(folder: string): string {
  const job = join(folder, 'job.ts')
  const items = join(folder, 'items.ndjson')
  try {
    // Not its parents: Node's own loop over them never ends where none can be made, as under /proc.
    if (!existsSync(folder)) mkdirSync(folder)
    for (const [path, text] of [
      [job, JOB],
      [items, ITEMS],
    ] as const)
      writeFileSync(path, text, { flag: 'wx' })
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException
    if (code === 'EEXIST')
      throw new UsageError(
        `${path} is there already and is left as it is; give another folder: poolrun init <folder>`,
      )
    throw new OutputError(`cannot write into ${folder}: ${message}`, { cause: error })
  }
  return `wrote ${job} and ${items}. Next:

  poolrun collect ${shellWord(job)} -i ${shellWord(items)}

One of the three items fails, so that you see how that looks. 'poolrun collect --help' lists the options.
`
}

function shellWord(text: string): string {
  return /^[\w./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`
}
