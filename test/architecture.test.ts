// Checks the direction of imports and the absences that ARCHITECTURE.md lists, by parsing the sources.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

/**
 * Each folder of `src`, or file at its root, with what it may import besides itself, in the order of the table in
 * ARCHITECTURE.md. An entry may name only entries below it, so that imports go one way.
 */
const ALLOWED = {
  index: ['errors', 'pool', 'worker'],
  cli: [
    'defaults',
    'error-data',
    'errors',
    'exec',
    'json-pointer',
    'model',
    'plan',
    'processors',
    'report',
    'run',
    'transport',
    'write',
  ],
  pool: [
    'clock',
    'defaults',
    'errors',
    'executor',
    'ipc',
    'job',
    'model',
    'abort',
    'plan',
    'policy',
    'processors',
    'run',
    'source',
    'worker',
    'write',
  ],
  // The composition: the one folder that knows all stages.
  run: [
    'defaults',
    'error-data',
    'errors',
    'exec',
    'executor',
    'framing',
    'ipc',
    'job',
    'json-pointer',
    'journal',
    'model',
    'abort',
    'plan',
    'policy',
    'read',
    'source',
    'summary',
    'transport',
    'write',
  ],
  exec: ['errors', 'framing', 'model', 'plan', 'transport'],
  executor: [
    'clock',
    'defaults',
    'error-data',
    'errors',
    'framing',
    'ipc',
    'job',
    'mean-cost',
    'model',
    'abort',
    'plan',
    'processors',
    'source',
    'transport',
  ],
  transport: ['clock', 'error-data', 'errors', 'ipc', 'model', 'worker'],
  worker: ['clock', 'defaults', 'errors', 'framing', 'ipc', 'job', 'mean-cost', 'model'],
  read: ['defaults', 'errors', 'framing', 'model', 'plan', 'source'],
  write: ['errors', 'framing', 'model', 'nameless-file', 'plan'],
  report: ['error-data', 'errors', 'framing', 'model', 'plan', 'summary'],
  journal: ['framing', 'model', 'plan'],
  policy: ['framing', 'model', 'source'],
  job: ['error-data', 'errors', 'ipc'],
  summary: ['errors', 'model', 'plan'],
  ipc: ['error-data', 'errors', 'model', 'nameless-file'],
  errors: ['error-data', 'model'],
  framing: ['model'],
  source: ['model'],
  plan: ['model'],
  'mean-cost': ['model'],
  clock: ['model'],
  model: ['defaults', 'error-data'],
  defaults: [],
  'error-data': [],
  'nameless-file': [],
  abort: [],
  processors: [],
  'json-pointer': [],
} as const satisfies Readonly<Record<string, readonly string[]>>

/** Files that read no clock, set no timer, wait for nothing and do not look at their process. */
const PURE = [
  /^(model|error-data|plan|defaults|mean-cost|summary)$/,
  /^executor\/(scheduler\/|(activity|recorded)$)/,
  /^errors\/(messages|warning-text)$/,
  /^exec\/(shell\/|(placeholders|quote|template)$)/,
  /^worker\/(chunk-run|cost|fast-path|outcome)$/,
  /^framing\//,
  /^policy\/(policy|delivery-order)$/,
  /^journal\/(append|checksum|item-keys|journal|key-table|line-cache|lines|reader|settings|shard-events|shards|value-hash)$/,
  /^run\/(settings|pool-error|item-counts)$/,
  /^job\/(exports|did-you-mean|load-hint)$/,
  /^report\/(groups|summary-line|units|source-location|lanes)$/,
  /^report\/html\/(page-data$|page\/data\/)/,
]

interface Import {
  /** As written for packages; for files the path in src without its extension. */
  readonly to: string
  readonly typesOnly: boolean
  readonly isFile: boolean
}

interface Source {
  readonly name: string
  readonly text: string
  readonly imports: readonly Import[]
  /** `process.stdout`, `console.log`, … and identifiers alone, as the code has them; no strings, no comments. */
  readonly names: ReadonlySet<string>
}

const sources = new Map(
  readdirSync(SRC, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts'))
    .map((path) => path.replaceAll('\\', '/').slice(0, -'.ts'.length))
    .map((name) => [name, readSource(name)] as const),
)

function readSource(name: string): Source {
  const text = readFileSync(join(SRC, `${name}.ts`), 'utf8')
  const imports: Import[] = []
  const names = new Set<string>()
  const add = (specifier: ts.Node, typesOnly: boolean) => {
    if (!ts.isStringLiteral(specifier)) return
    const isFile = specifier.text.startsWith('.')
    const to = isFile
      ? join(dirname(name), specifier.text).replaceAll('\\', '/').replace(/\.js$/, '')
      : specifier.text
    imports.push({ to, typesOnly, isFile })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node.moduleSpecifier, isTypesOnly(node.importClause))
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
      add(node.moduleSpecifier, node.isTypeOnly || everyTypeOnly(node.exportClause))
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node.arguments[0]!, false)
    else if (ts.isImportTypeNode(node) && ts.isLiteralTypeNode(node.argument))
      add(node.argument.literal, true)
    else if (ts.isPropertyAccessExpression(node)) names.add(`${node.expression.getText()}.${node.name.text}`)
    if (ts.isIdentifier(node) && !(ts.isPropertyAccessExpression(node.parent) && node.parent.name === node))
      names.add(node.text)
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile(name, text, ts.ScriptTarget.Latest, true))
  return { name, text, imports, names }
}

function isTypesOnly(clause: ts.ImportClause | undefined): boolean {
  if (clause === undefined) return false
  return clause.isTypeOnly || (clause.name === undefined && everyTypeOnly(clause.namedBindings))
}

function everyTypeOnly(bindings: ts.NamedImportBindings | ts.NamedExportBindings | undefined): boolean {
  if (bindings === undefined || !(ts.isNamedImports(bindings) || ts.isNamedExports(bindings))) return false
  return bindings.elements.length > 0 && bindings.elements.every(({ isTypeOnly }) => isTypeOnly)
}

const folderOf = (name: string) => name.split('/')[0]!
const all = [...sources.values()]
const allowed = (from: string): readonly string[] => ALLOWED[from as keyof typeof ALLOWED] ?? []
/** Imports from one folder to another. */
const crossings = all.flatMap(({ name, imports }) =>
  imports
    .filter(({ isFile, to }) => isFile && folderOf(to) !== folderOf(name))
    .map(({ to }) => ({ from: folderOf(name), into: folderOf(to), edge: `${name} → ${to}` })),
)
const files = (matches: (source: Source) => boolean) => all.filter(matches).map(({ name }) => name)

/** Every file and package that running `name` loads. */
function closure(name: string): { files: Set<string>; packages: Set<string> } {
  const reached = { files: new Set<string>(), packages: new Set<string>() }
  const walk = (file: string) => {
    if (reached.files.has(file)) return
    reached.files.add(file)
    for (const { to, isFile, typesOnly } of sources.get(file)!.imports)
      if (!typesOnly) isFile ? walk(to) : reached.packages.add(to)
  }
  walk(name)
  return reached
}

function cycleThrough(start: string, follow: (edge: Import) => boolean): string[] | undefined {
  const path: string[] = []
  const seen = new Set<string>()
  const search = (name: string): boolean => {
    if (name === start && path.length > 0) return true
    if (seen.has(name)) return false
    seen.add(name)
    path.push(name)
    if (sources.get(name)!.imports.some((edge) => edge.isFile && follow(edge) && search(edge.to))) return true
    path.pop()
    return false
  }
  return search(start) ? [...path, start] : undefined
}

describe('imports', () => {
  test('lead to files that exist', () => {
    const dangling = all.flatMap(({ name, imports }) =>
      imports.filter(({ isFile, to }) => isFile && !sources.has(to)).map(({ to }) => `${name} → ${to}`),
    )
    expect(dangling).toEqual([])
  })

  test('go one way, from top to bottom', () => {
    const layers = Object.keys(ALLOWED)
    const backwards = Object.entries(ALLOWED).flatMap(([from, into]) =>
      into.filter((to) => layers.indexOf(to) <= layers.indexOf(from)).map((to) => `${from} → ${to}`),
    )
    expect(backwards).toEqual([])
  })

  test('stay within what each folder may import', () => {
    const wrong = crossings.filter(({ from, into }) => !allowed(from).includes(into))
    expect(wrong.map(({ edge }) => edge)).toEqual([])
  })

  test('use every allowance', () => {
    const unused = Object.entries(ALLOWED).flatMap(([from, into]) =>
      into
        .filter((to) => !crossings.some((crossing) => crossing.from === from && crossing.into === to))
        .map((to) => `${from} → ${to}`),
    )
    expect(unused).toEqual([])
  })

  test('of values make no circle between files', () => {
    const circles = all.flatMap(
      ({ name }) => cycleThrough(name, ({ typesOnly }) => !typesOnly)?.join(' → ') ?? [],
    )
    expect(circles).toEqual([])
  })

  test('of types make none either', () => {
    const circles = all.flatMap(({ name }) => cycleThrough(name, () => true)?.join(' → ') ?? [])
    expect(circles).toEqual([])
  })
})

test('an executor is known by its interface: another one needs no change in run, cli or pool', () => {
  const known = crossings.filter(
    ({ from, into }) => into === 'executor' && ['run', 'cli', 'pool'].includes(from),
  )
  const files = new Set(known.map(({ edge }) => edge.split(' → ')[1]))
  expect([...files].sort()).toEqual(['executor/create-executor', 'executor/executor'])
})

describe('a worker', () => {
  const { files: loaded, packages } = closure('worker/main')

  test('loads Node’s own modules and nothing else: its start is part of every run', () => {
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([])
  })

  test('loads only its own folder and what it shares with its parent', () => {
    const folders = new Set([...loaded].map(folderOf))
    const shared = ['clock', 'defaults', 'errors', 'framing', 'ipc', 'job', 'mean-cost']
    expect([...folders].sort()).toEqual([...shared, 'worker'])
  })
})

test('help and usage errors load neither the engine nor the compiler', () => {
  // What cli/main imports only once there is a run.
  const lazy = sources.get('cli/run-in-terminal')
  expect(lazy).toBeDefined()
  const eager = closure('cli/program')
  expect([...eager.files].map(folderOf)).not.toContain('executor')
  expect([...eager.packages].filter((name) => !name.startsWith('node:'))).toEqual(['commander'])
})

describe('only', () => {
  test('the transport and the job of --exec start processes', () => {
    const users = all.filter(({ imports }) =>
      imports.some(({ to }) => /^(node:)?child_process$|^execa$/.test(to)),
    )
    // It starts none itself: it changes how a job's own `fork` does.
    const others = users.filter(({ name }) => name !== 'job/loader/children')
    expect(new Set(others.map(({ name }) => folderOf(name)))).toEqual(new Set(['exec', 'transport']))
  })

  test('cli/main ends the process, and in a worker the guard; callbacks are kept from it', () => {
    const exits = files(({ names }) =>
      ['process.exit', 'process.exitCode', 'process.abort'].some((n) => names.has(n)),
    )
    expect(exits.sort()).toEqual(['cli/main', 'run/callback-hook', 'transport/in-process', 'worker/guard'])
  })

  test('cli hands out stdout; a worker’s own is a pipe to its parent', () => {
    const users = files(({ names }) => names.has('process.stdout'))
    expect(users.filter((name) => !['cli', 'write'].includes(folderOf(name)))).toEqual(['worker/guard'])
  })

  test('cli writes to stderr, and a pool what its jobs print; callbacks, which run here, are sent there', () => {
    const users = files(({ names }) => names.has('process.stderr'))
    expect(users.filter((name) => folderOf(name) !== 'cli')).toEqual([
      // In a worker.
      'exec/job',
      'pool/stderr-lines',
      'run/callback-hook',
      'worker/guard',
      // `--errors /dev/stderr`
      'write/open-stream',
    ])
  })

  test('cli/program knows commander, report chalk, ora and the code frames in one file each, and job esbuild', () => {
    const users = (name: string) => files(({ imports }) => imports.some(({ to }) => to === name))
    expect(users('commander')).toEqual(['cli/program'])
    expect(users('chalk')).toEqual(['report/colors'])
    expect(users('ora')).toEqual(['report/progress/bar'])
    expect(users('@babel/code-frame')).toEqual(['report/console/code-frame'])
    expect(new Set(users('esbuild').map(folderOf))).toEqual(new Set(['job']))
  })
})

describe('no file', () => {
  test('writes to the console', () => {
    expect(files(({ names }) => names.has('console'))).toEqual([])
  })

  test('of the pure core reads a clock, sets a timer, waits or looks at its process', () => {
    const impure = ['performance', 'Date', 'setTimeout', 'setInterval', 'setImmediate', 'process', 'Promise']
    const pure = PURE.map((pattern) => files(({ name }) => pattern.test(name)))
    expect(pure.filter((matched) => matched.length === 0)).toEqual([])
    expect(
      pure
        .flat()
        .flatMap((name) =>
          impure.filter((word) => sources.get(name)!.names.has(word)).map((word) => `${name}: ${word}`),
        ),
    ).toEqual([])
  })

  test('of a pool or a worker uses timers that tests or a job may have replaced', () => {
    const timers = ['setTimeout', 'clearTimeout', 'setInterval', 'clearInterval', 'setImmediate']
    const unsafe = files(
      ({ name, names, imports }) =>
        /^(pool|executor|transport|worker)\//.test(name) &&
        timers.some((timer) => names.has(timer)) &&
        !imports.some(({ to, typesOnly }) => to === 'clock' && !typesOnly),
    )
    expect(unsafe).toEqual([])
  })

  test('goes without a word on what it does', () => {
    expect(files(({ text }) => !text.startsWith('//'))).toEqual([])
  })
})
