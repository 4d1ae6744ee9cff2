// esbuild where nothing can wait: in `require`. Each call starts a process.
import { createRequire } from 'node:module'
import type { Message, TransformFailure, TransformOptions, TransformResult } from 'esbuild'

export function transformSync(text: string, options: TransformOptions): TransformResult | readonly Message[] {
  const esbuild = createRequire(import.meta.filename)('esbuild') as typeof import('esbuild')
  try {
    return esbuild.transformSync(text, options)
  } catch (error) {
    const { errors } = error as Partial<TransformFailure>
    if (errors === undefined) throw error
    return errors
  }
}
