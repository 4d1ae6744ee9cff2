// Where the worker's built entry is, seen from the bundle and from the sources alike. Knows nothing else.
import { fileURLToPath } from 'node:url'

export function workerEntry(): string {
  const bundled = !import.meta.url.endsWith('.ts')
  return fileURLToPath(new URL(bundled ? './worker.js' : '../../dist/worker.js', import.meta.url))
}
