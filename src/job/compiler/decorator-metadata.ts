// `emitDecoratorMetadata`, which esbuild does not have: the TypeScript of the project compiles such files first.
import { createRequire } from 'node:module'
import path from 'node:path'
import type { SourceFile } from './source-file.js'

/** The part of TypeScript that is used here. */
interface TypeScript {
  readonly ModuleKind: Readonly<Record<string, number>>
  readonly ScriptTarget: Readonly<Record<string, number>>
  readonly JsxEmit: Readonly<Record<string, number>>
  transpileModule(
    text: string,
    options: { fileName: string; compilerOptions: Record<string, unknown> },
  ): { outputText: string }
}

const DECORATOR = /(?:^|[^\w$.'"`])@[\w$(]/

export function hasDecorators(text: string): boolean {
  return DECORATOR.test(text)
}

export function wantsMetadata({
  text,
  compilerOptions,
}: Pick<SourceFile, 'text' | 'compilerOptions'>): boolean {
  const { emitDecoratorMetadata, experimentalDecorators } = compilerOptions
  return emitDecoratorMetadata === true && experimentalDecorators === true && hasDecorators(text)
}

/** JavaScript with the metadata, and with its source map as a comment. */
export function withMetadata(
  text: string,
  { file, compilerOptions }: SourceFile,
  typescript: string,
): string {
  const ts = createRequire(import.meta.filename)(typescript) as TypeScript
  const { useDefineForClassFields, verbatimModuleSyntax } = compilerOptions
  const { outputText } = ts.transpileModule(text, {
    fileName: path.basename(file),
    compilerOptions: {
      module: ts.ModuleKind.Preserve ?? ts.ModuleKind.ESNext,
      target: ts.ScriptTarget.ES2022,
      jsx: ts.JsxEmit.Preserve,
      experimentalDecorators: true,
      emitDecoratorMetadata: true,
      useDefineForClassFields: useDefineForClassFields ?? false,
      verbatimModuleSyntax: verbatimModuleSyntax ?? false,
      inlineSourceMap: true,
    },
  })
  return outputText
}
