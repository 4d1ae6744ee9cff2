// Path of the workers' entry, from the bundle as well as from the sources.
import path from 'node:path'

export function workerEntry(): string {
  const bundled = !import.meta.filename.endsWith('.ts')
  return path.join(import.meta.dirname, bundled ? '../bin/worker.cjs' : '../../bin/worker.cjs')
}
