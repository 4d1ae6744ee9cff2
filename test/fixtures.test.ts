// Every fixture is used: knip cannot see the files that tests name by a string.
import { readdirSync, readFileSync } from 'node:fs'
import { join, parse } from 'node:path'
import { expect, test } from 'vitest'

const TEST = import.meta.dirname
const tests = readdirSync(TEST, { recursive: true, encoding: 'utf8' })
  .filter((file) => file.endsWith('.ts') && !file.includes('fixtures/'))
  .map((file) => readFileSync(join(TEST, file), 'utf8'))
  .join('\n')

/** As in `fixture('slow')`, `'number.cjs'` or a path. */
const isNamed = (file: string) => {
  const { name, ext } = parse(file)
  return new RegExp(`['"\`/]${name}(\\${ext})?['"\`#]`).test(tests)
}

test.each(['fixtures/broken', 'fixtures/jobs', 'fixtures/modules'])(
  '%s has only files that tests name',
  (folder) => {
    expect(readdirSync(join(TEST, folder)).filter((file) => !isNamed(file))).toEqual([])
  },
)
