// What the name of a file says about it. Imports only `node:path`: workers load this with the loader of jobs.
import path from 'node:path'

export const TYPESCRIPT: readonly string[] = ['.ts', '.tsx', '.mts', '.cts']

export function isTypeScript(file: string): boolean {
  return TYPESCRIPT.includes(path.extname(file))
}

/** Whether it is compiled before Node reads it. */
export function isCompiledFile(file: string): boolean {
  return isTypeScript(file) || path.extname(file) === '.jsx'
}

/** Below a `node_modules`, once symbolic links are resolved: what others have published. */
export function isInPackage(file: string): boolean {
  return file.split(path.sep).includes('node_modules')
}
