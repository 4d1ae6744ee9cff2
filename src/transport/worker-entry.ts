// Where the worker's built entry is, seen from the bundle and from the sources alike. Knows nothing else.
import path from 'node:path'

export function workerEntry(): string {
  const bundled = !import.meta.filename.endsWith('.ts')
  return path.join(import.meta.dirname, bundled ? 'worker.cjs' : '../../dist/worker.cjs')
}
