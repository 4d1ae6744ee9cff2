// A file as the compiler gets it.

export interface SourceFile {
  readonly file: string
  readonly text: string
  /** Of the nearest package.json. */
  readonly packageType: 'module' | 'commonjs' | undefined
  readonly compilerOptions: Readonly<Record<string, unknown>>
  /** The expression of `--eval`: always an ES module. */
  readonly isExpression?: boolean
  /** The TypeScript of the project, where the file needs it. */
  readonly typescript?: string | undefined
}
