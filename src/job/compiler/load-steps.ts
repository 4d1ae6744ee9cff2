// How Node can load a job without hooks: which of its modules to import, in which order.
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import type { LoadStep } from '../loader/graph.js'
import { isNatural, type Node, type Nodes } from './nodes.js'
import type { PackageTypes } from './package-type.js'

interface Options {
  readonly types: PackageTypes
  /** Whether this code, which may, really awaits at top level. */
  readonly awaits: (code: string) => Promise<boolean>
}

/** `import.meta.resolve`, and code that is made at run time and may import: no request shows what they name. */
const NAMES_MORE =
  /(?:\bimport\.|__poolrun_)meta(?!=|\.(?:url|dirname|filename)\b)|\b(?:eval|Function)\)?\s*\(/

/** The order in which Node would evaluate the modules; `undefined` where only hooks can load the job right. */
export async function loadSteps(
  entry: string,
  nodes: Nodes,
  options: Options,
): Promise<readonly LoadStep[] | undefined> {
  for (const node of nodes.values()) if (!(await isSimple(node, nodes, options))) return undefined
  const steps: LoadStep[] = []
  const done = new Set<string>()
  const open = new Set<string>()
  const add = (file: string): boolean => {
    if (done.has(file)) return true
    // A cycle.
    if (open.has(file)) return false
    open.add(file)
    const { compiled, targets } = nodes.get(file)!
    for (const [request, target] of targets) {
      if (compiled.format !== 'module' || !request.isStatic) continue
      if (target.kind === 'file') {
        if (target.query !== '' || !nodes.has(target.file) || !add(target.file)) return false
      } else if (target.kind === 'external') steps.push({ url: target.url, json: isJson(target.url) })
    }
    open.delete(file)
    done.add(file)
    // It is written into the code.
    if (compiled.format !== 'json') steps.push({ file })
    return true
  }
  return add(entry) ? steps : undefined
}

/** It names nothing at run time that Node would not find alone, and does not await at top level. */
async function isSimple(
  { compiled, targets }: Node,
  nodes: Nodes,
  { types, awaits }: Options,
): Promise<boolean> {
  for (const [request, target] of targets) {
    if (request.kind === 'require') {
      if (target.kind === 'file' && nodes.get(target.file)?.compiled.format === 'module') return false
    } else if (!request.isStatic) {
      if (target.kind === 'builtin') continue
      if (target.kind !== 'external' || !isNatural(request.specifier!, target)) return false
      if (compiled.format === 'commonjs' && compiled.isCompiled && mayBeCommonJs(target.url, types))
        return false
    }
  }
  if (NAMES_MORE.test(compiled.code)) return false
  if (!compiled.mayAwait) return true
  return !(await awaits(compiled.code))
}

function mayBeCommonJs(url: string, types: PackageTypes): boolean {
  if (!url.startsWith('file:')) return false
  const file = fileURLToPath(url.replace(/[?#].*$/s, ''))
  return path.extname(file) !== '.mjs' && types.for(file).type !== 'module'
}

function isJson(url: string): boolean {
  return new URL(url).pathname.endsWith('.json')
}
