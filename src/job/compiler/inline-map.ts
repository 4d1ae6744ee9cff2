// Puts the source map into the code, where Node finds it without a file.
import type { CompiledSource } from './compile-source.js'

export function withMap({
  format,
  isCompiled,
  code,
  map,
}: CompiledSource): Pick<CompiledSource, 'format' | 'isCompiled' | 'code'> {
  if (map === undefined) return { format, isCompiled, code }
  const data = Buffer.from(map).toString('base64')
  const comment = `//# sourceMappingURL=data:application/json;base64,${data}`
  return { format, isCompiled, code: `${code}\n${comment}\n` }
}
