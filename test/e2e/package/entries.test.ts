// The two entries of the library, which are one: what `import` and `require` give has the same classes.
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { root, runShell } from '../../helpers/run-cli.js'

const library = createRequire(join(root, 'dist/x.js'))

function evaluate(type: 'module' | 'commonjs', program: string) {
  return runShell(`"$NODE" --input-type=${type} -e '${program}'`)
}

describe('the library', () => {
  it('is loaded with require', async () => {
    const { stdout, stderr } = await evaluate(
      'commonjs',
      `const { Pool } = require("poolrun")
       const pool = new Pool("./test/fixtures/jobs/identity.ts", { processes: 1 })
       pool.map("default", [1, 2]).then((values) => console.log(values.join())).finally(() => pool.terminate())`,
    )
    expect({ stdout, stderr }).toEqual({ stdout: '1,2\n', stderr: '' })
  })

  it('has the same exports for import and require, each of them once', async () => {
    const { stdout, stderr } = await evaluate(
      'module',
      `import { createRequire } from "node:module"
       import * as imported from "poolrun"
       const required = createRequire(process.cwd() + "/x.js")("poolrun")
       const names = (object) => Object.keys(object).sort().join()
       console.log(names(imported) === names(required), names(required))
       console.log(Object.keys(required).every((name) => imported[name] === required[name]))`,
    )
    const names = Object.keys(library('./index.cjs')).sort()
    expect(names).toContain('Pool')
    expect({ stdout, stderr }).toEqual({ stdout: `true ${names}\ntrue\n`, stderr: '' })
  })

  it('has one declaration file without references to other files of the package', () => {
    const types = readFileSync(join(root, 'dist/index.d.cts'), 'utf8')
    const withoutComments = types.replace(/\/\*[\s\S]*?\*\//g, '')
    expect(withoutComments).not.toMatch(/from ['"]|import\(|reference path/)
    expect(types).toContain('declare class Pool<')
    expect(readFileSync(join(root, 'dist/index.d.ts'), 'utf8')).toBe("export * from './index.cjs'\n")
  })
})
