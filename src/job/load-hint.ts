// What to do about an error with which Node refuses to load a module. Pure.
import type { ErrorData } from '../error-data.js'

const MISSING_PACKAGE =
  /^Cannot find (?:package|module) '((?![./]|[a-z]+:\/)[^']+)'(?: imported from (.+)|\nRequire stack:\n- (.+))/
const MISSING_EXPORT = /^The requested module '([^']+)' does not provide an export named '([^']+)'/

export function loadHint(error: ErrorData): string | undefined {
  if (error.type !== 'error') return undefined
  const { message } = error
  const missing = MISSING_PACKAGE.exec(message)
  if (missing !== null) {
    const [, specifier = '', importer, requirer] = missing
    const name = specifier
      .split('/')
      .slice(0, specifier.startsWith('@') ? 2 : 1)
      .join('/')
    return `the package ${name} is not installed where ${importer ?? requirer} looks for it: in node_modules of its folder and of those above`
  }
  const notExported = MISSING_EXPORT.exec(message)
  if (notExported !== null)
    return `'${notExported[2]}' is not among the exports of '${notExported[1]}'; a type is imported with 'import type'`
  if (message.startsWith('Unknown file extension'))
    return 'Node loads JavaScript, JSON and addons, poolrun also TypeScript; read other files with node:fs'
  if (/ needs an import attribute of /.test(message))
    return "write the import with { type: 'json' } at its end"
  return undefined
}
