// The files of a graph as workers load them: compiled code with what its imports lead to.
import { readFileSync } from 'node:fs'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { jsonFacade } from '../loader/facades.js'
import type { GraphFile } from '../loader/graph.js'
import { allNames } from './commonjs-names.js'
import { compileSource } from './compile-source.js'
import { withMap } from './inline-map.js'
import { isNatural, type Node, type Nodes, urlOf } from './nodes.js'
import type { PackageTypes } from './package-type.js'
import type { Targets } from './targets.js'

interface Options {
  readonly targets: Targets
  readonly types: PackageTypes
  /** Specifiers stay as they are where a package.json decides: Node may read it under other conditions. */
  readonly nodeDecides: boolean
}

export function graphFiles(nodes: Nodes, options: Options): Record<string, GraphFile> {
  const files: Record<string, GraphFile> = {}
  for (const [name, node] of [...nodes].sort(([a], [b]) => (a < b ? -1 : 1)))
    files[name] = graphFile(name, node, nodes, options)
  return files
}

function graphFile(name: string, node: Node, nodes: Nodes, options: Options): GraphFile {
  const { compiled, targets } = node
  const imports: Record<string, string> = {}
  const requires: Record<string, string> = {}
  for (const [{ specifier, kind }, target] of targets) {
    if (specifier === undefined) continue
    let url: string
    if (options.nodeDecides && target.kind === 'file' && target.byPackage) url = ''
    else if (target.kind === 'external') url = isNatural(specifier, target) ? '' : target.url
    // A file that does not compile is compiled again where it is asked for: its error is thrown there.
    else if (target.kind === 'file' && nodes.has(target.file)) url = urlOf(target)
    else continue
    if (kind === 'import') imports[specifier] = url
    else requires[specifier] = url === '' ? '' : fileURLToPath(url)
  }
  const code = options.nodeDecides ? compiled.code : rewritten(name, node, nodes)
  const loadsFirst = [...targets].flatMap(([{ isStatic }, target]) =>
    isStatic && target.kind === 'file' && compiled.format === 'module' ? target.file : [],
  )
  const names =
    compiled.format !== 'commonjs'
      ? []
      : allNames(name, compiled, (specifier, importer) => namesOf(specifier, importer, nodes, options))
  return { ...withMap({ ...compiled, code }), imports, requires, names, loadsFirst }
}

/** The names that `export * from` or `module.exports = require()` of a CommonJS module passes on. */
function namesOf(specifier: string, importer: string, nodes: Nodes, { targets, types }: Options) {
  const target = targets.of(
    { specifier, kind: 'require', isStatic: true, json: false, start: 0, end: 0 },
    importer,
  )
  if (target.kind === 'file') {
    const node = nodes.get(target.file)
    return node === undefined || node.compiled.format !== 'commonjs'
      ? undefined
      : { file: target.file, ...node.compiled }
  }
  if (target.kind !== 'external' || !target.url.startsWith('file:')) return undefined
  try {
    const file = fileURLToPath(target.url)
    const text = readFileSync(file, 'utf8')
    const step = compileSource({
      file,
      text,
      packageType: types.for(file).type,
      compilerOptions: {},
    }).next()
    return step.done && step.value.format === 'commonjs' ? { file, ...step.value } : undefined
  } catch {
    return undefined
  }
}

/** Where no hooks help, Node must find each file by what the code says. From the end, so that places stay right. */
function rewritten(file: string, { compiled, targets }: Node, nodes: Nodes): string {
  let { code } = compiled
  if (compiled.format !== 'module') return code
  for (const [{ isStatic, json, start, end, specifier }, target] of [...targets].reverse()) {
    if (!isStatic || (target.kind !== 'file' && target.kind !== 'external')) continue
    if (target.kind === 'file' && !nodes.has(target.file)) continue
    const imported = target.kind === 'file' ? nodes.get(target.file)!.compiled : undefined
    if (imported?.format === 'json') {
      // Node says what is missing.
      if (!json && !compiled.isCompiled) continue
      const url = dataUrl('application/json', imported.code)
      const [before, quote, after] = [code.slice(0, start), code.slice(end, end + 1), code.slice(end + 1)]
      if (json) code = `${before}${url}${quote}${after}`
      else if (ONLY_DEFAULT.test(before)) code = `${before}${url}${quote} with{type:"json"}${after}`
      else {
        // The hash is for errors: they name the module.
        const facade = dataUrl('text/javascript', jsonFacade(url, imported.code))
        code = `${before}${facade}#${encodeURI(specifier!)}${quote}${after}`
      }
      continue
    }
    const url = target.kind === 'file' ? urlOf(target) : target.url
    if ((target.kind === 'external' && isNatural(specifier!, target)) || naturalUrl(specifier!, file) === url)
      continue
    code = code.slice(0, start) + JSON.stringify(url).slice(1, -1) + code.slice(end)
  }
  return code
}

/** What is before the specifier of `import name from '…'`, as esbuild writes it. */
const ONLY_DEFAULT = /\bimport [\w$]+ from "$/

function dataUrl(type: string, text: string): string {
  return `data:${type};base64,${Buffer.from(text).toString('base64')}`
}

function naturalUrl(specifier: string, file: string): string | undefined {
  try {
    return new URL(specifier, pathToFileURL(file)).href
  } catch {
    return undefined
  }
}
