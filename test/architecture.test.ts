// The direction of imports and the rules that are stated as absences (ARCHITECTURE.md), read off the sources.
// Knows the folders and the few exceptions, each with its reason; nothing of what the files do.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { describe, expect, test } from 'vitest'

const SRC = fileURLToPath(new URL('../src', import.meta.url))

/** Folder, or file of src itself, to what it may import; each may import itself. */
const ALLOWED: Readonly<Record<string, readonly string[]>> = {
  index: ['errors', 'model', 'pool', 'worker'],
  pool: ['errors', 'executor', 'job', 'model', 'policy', 'protocol', 'read', 'run', 'transport', 'worker'],
  cli: ['errors', 'model', 'report', 'run'],
  // The composition: the one place that knows all stages.
  run: [
    'errors',
    'executor',
    'framing',
    'job',
    'journal',
    'model',
    'policy',
    'protocol',
    'read',
    'report',
    'transport',
    'write',
  ],
  read: ['errors', 'framing', 'model'],
  policy: ['model'],
  executor: ['errors', 'flight-recorder', 'framing', 'model', 'protocol', 'transport'],
  write: ['errors', 'framing', 'model'],
  report: ['errors', 'framing', 'model'],
  journal: ['errors', 'framing', 'model'],
  job: ['errors', 'protocol'],
  transport: ['errors', 'flight-recorder', 'model', 'protocol', 'wire'],
  worker: ['errors', 'flight-recorder', 'framing', 'model', 'protocol', 'wire'],
  'flight-recorder': ['model'],
  wire: ['model', 'protocol'],
  protocol: ['errors', 'model'],
  framing: ['errors', 'model'],
  errors: ['model'],
  model: ['errors'],
}

/** Single files that may be imported from further left than the table says. */
const EXCEPTIONS: readonly { from: string; to: string; typesOnly: boolean; because: string }[] = [
  { from: 'read', to: 'run/plan', typesOnly: true, because: 'the plan is a noun all stages share' },
  { from: 'write', to: 'run/plan', typesOnly: true, because: 'as above' },
  { from: 'report', to: 'run/plan', typesOnly: true, because: 'as above' },
  {
    from: 'report',
    to: 'run/summary',
    typesOnly: false,
    because: 'the fold of events that the verdict is printed from',
  },
  { from: 'policy', to: 'read/source', typesOnly: true, because: 'the window wraps a source, whichever' },
  {
    from: 'executor',
    to: 'read/source',
    typesOnly: true,
    because: 'the executor pulls from a source, whichever',
  },
  {
    from: 'executor',
    to: 'job/exports',
    typesOnly: false,
    because: 'a call that names no task is told what there is',
  },
  {
    from: 'job',
    to: 'worker/load-job',
    typesOnly: false,
    because: 'callbacks are loaded here as a worker loads its job',
  },
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

  test('go one way: bin → cli → run → the stages → transport → protocol → errors, model, framing', () => {
    const wrong = all.flatMap(({ name, imports }) =>
      imports
        .filter(({ isFile, to, typesOnly }) => {
          const [from, into] = [folderOf(name), folderOf(to)]
          if (!isFile || from === into || ALLOWED[from]?.includes(into)) return false
          return !EXCEPTIONS.some(
            (exception) =>
              exception.from === from && exception.to === to && (typesOnly || !exception.typesOnly),
          )
        })
        .map(({ to }) => `${name} → ${to}`),
    )
    expect(wrong).toEqual([])
  })

  test('need every exception that is made for them', () => {
    const unneeded = EXCEPTIONS.filter(
      ({ from, to, typesOnly }) =>
        !all.some(
          ({ name, imports }) =>
            folderOf(name) === from && imports.some((edge) => edge.to === to && edge.typesOnly === typesOnly),
        ),
    )
    expect(unneeded).toEqual([])
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

describe('a worker', () => {
  const { files: loaded, packages } = closure('worker/main')

  test('loads Node’s own modules and nothing else: its start is part of every run', () => {
    expect([...packages].filter((name) => !name.startsWith('node:'))).toEqual([])
  })

  test('loads only its own folder and what it shares with its parent', () => {
    const folders = new Set([...loaded].map(folderOf))
    const shared = ['errors', 'flight-recorder', 'framing', 'model', 'protocol', 'wire']
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
  test('the transport, and the executor of shell commands, start processes', () => {
    const users = all.filter(({ imports }) =>
      imports.some(({ to }) => /^(node:)?child_process$|^execa$/.test(to)),
    )
    expect(new Set(users.map(({ name }) => folderOf(name)))).toEqual(new Set(['transport']))
  })

  test('cli/main ends the process, and in a worker the guard; callbacks are kept from it', () => {
    const exits = files(({ names }) =>
      ['process.exit', 'process.exitCode', 'process.abort'].some((n) => names.has(n)),
    )
    expect(exits.sort()).toEqual(['cli/main', 'run/callback-hook', 'worker/guard'])
  })

  test('cli hands out stdout; a worker’s own is a pipe to its parent', () => {
    const users = files(({ names }) => names.has('process.stdout'))
    expect(users.filter((name) => !['cli', 'write'].includes(folderOf(name)))).toEqual(['worker/guard'])
  })

  test('cli writes to stderr, and a pool what its jobs print; callbacks, which run here, are sent there', () => {
    const users = files(({ names }) => names.has('process.stderr'))
    expect(users.filter((name) => folderOf(name) !== 'cli')).toEqual([
      'pool/engine',
      'run/callback-hook',
      'worker/guard',
    ])
  })

  test('cli/program knows commander, report chalk, ora and the code frames in one file each, and job esbuild', () => {
    const users = (name: string) => files(({ imports }) => imports.some(({ to }) => to === name))
    expect(users('commander')).toEqual(['cli/program'])
    expect(users('chalk')).toEqual(['report/painter'])
    expect(users('ora')).toEqual(['report/bar'])
    expect(users('@babel/code-frame')).toEqual(['report/code-frame'])
    expect(new Set(users('esbuild').map(folderOf))).toEqual(new Set(['job']))
  })
})

describe('no file', () => {
  test('writes to the console', () => {
    expect(files(({ names }) => names.has('console'))).toEqual([])
  })

  test('of the pure core reads a clock, sets a timer, waits or looks at its process', () => {
    const impure = ['performance', 'Date', 'setTimeout', 'setInterval', 'setImmediate', 'process', 'Promise']
    const pure = [
      'executor/scheduler',
      'executor/inbox',
      'executor/chunk-size',
      'executor/restart-limit',
      'policy/policy',
      'policy/reorder',
      'run/settings',
      'run/summary',
      'report/groups',
    ]
    expect(pure.filter((name) => !sources.has(name))).toEqual([])
    expect(
      pure.flatMap((name) =>
        impure.filter((word) => sources.get(name)!.names.has(word)).map((word) => `${name}: ${word}`),
      ),
    ).toEqual([])
  })

  test('goes without a word on what it does', () => {
    expect(files(({ text }) => !text.startsWith('//'))).toEqual([])
  })
})
