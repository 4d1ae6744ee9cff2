// What a job uses that its configuration does not support: worded once, when the job is compiled.
import { showPath } from '../reference.js'
import { wantsMetadata } from './decorator-metadata.js'
import type { SourceFile } from './source-file.js'
import type { Tsconfig } from './tsconfig.js'

export interface WarnedFile {
  readonly source: SourceFile
  /** What it was compiled to. */
  readonly code: string
  readonly tsconfig: Tsconfig | undefined
}

export function warningsFor(files: readonly WarnedFile[], cwd: string): string[] {
  const warnings: string[] = []
  const incomplete = new Map(files.map(({ tsconfig }) => [tsconfig?.file, tsconfig]))
  for (const tsconfig of incomplete.values())
    if (tsconfig?.missingBase !== undefined)
      warnings.push(
        `${showPath(tsconfig.file, cwd)} has no effect, because it extends '${tsconfig.missingBase}', which is not there`,
      )
  const decorated = files.find(({ source }) => source.typescript === undefined && wantsMetadata(source))
  if (decorated !== undefined) {
    const tsconfig = showPath(decorated.tsconfig!.file, cwd)
    warnings.push(
      `emitDecoratorMetadata of ${tsconfig} has no effect on ${showPath(decorated.source.file, cwd)}, because typescript is not installed beside it: npm install --save-dev typescript`,
    )
  }
  const withJsx = files.find(
    ({ source, code }) =>
      source.compilerOptions.jsx === undefined &&
      code.includes('React.createElement(') &&
      !/\bReact\b/.test(source.text),
  )
  if (withJsx !== undefined) {
    warnings.push(
      `${showPath(withJsx.source.file, cwd)} has JSX, and no tsconfig.json says what it means: it becomes React.createElement(…), and React is not imported; set "jsx" in the compilerOptions, for example to "react-jsx"`,
    )
  }
  return warnings
}
