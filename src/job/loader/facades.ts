// ES modules that stand between an `import` and what Node would give it, where TypeScript expects something else.

/** JSON with an export per property, as bundlers and TypeScript's `resolveJsonModule` have it. `url` gives the JSON itself. */
export function jsonFacade(url: string, text: string): string {
  const names = namesIn(text)
  const lines = names.map((name, i) => `const _${i}=json[${name}];export{_${i} as ${name}};`)
  return `import json from${JSON.stringify(url)}with{type:"json"};export default json;${lines.join('')}\n`
}

/** As JavaScript strings. */
function namesIn(text: string): string[] {
  try {
    const value: unknown = JSON.parse(text.replace(/^\uFEFF/, ''))
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return []
    const names = Object.keys(value).filter((name) => name !== 'default')
    // What is not well-formed Unicode cannot be the name of an export.
    return names.filter((name) => Buffer.from(name).toString() === name).map((name) => JSON.stringify(name))
  } catch {
    return []
  }
}

const MARK = /[?&]poolrun-interop$/

/** The address of `interopFacade` of a module. */
export function markInterop(url: string): string {
  return `${url}${url.includes('?') ? '&' : '?'}poolrun-interop`
}

/** The module of the address; `undefined` if it is not one of `markInterop`. */
export function unmarkInterop(url: string): string | undefined {
  return MARK.test(url) ? url.replace(MARK, '') : undefined
}

/**
 * What `import()` in a CommonJS file gives: TypeScript compiles it to a `require` there, whose `default` is the default
 * export of a transpiled module and not all of `module.exports`.
 */
export function interopFacade(url: string): string {
  const name = JSON.stringify(url)
  return `import*as all from${name};export*from${name};const whole=all.default;export default whole?.__esModule===true&&"default"in whole?whole.default:whole;\n`
}
