// What runs under tsx or Node runs the same under poolrun. What those two do is recorded in outcomes.json by
// `npm run fixtures`; a sample is tried here again.
import { readFileSync } from 'node:fs'
import { beforeAll, describe, expect, it } from 'vitest'
import { outcomesOfPoolrun } from '../../fixtures/loader/poolrun.js'
import { type Outcome, PROJECTS } from '../../fixtures/loader/projects.js'
import { outcomeOf, type Recorded } from '../../fixtures/loader/record.js'
import { isJavaScript } from '../../fixtures/loader/space.js'

const recorded = JSON.parse(
  readFileSync(new URL('../../fixtures/loader/outcomes.json', import.meta.url), 'utf8'),
) as Record<string, Recorded>
const names = Object.keys(PROJECTS)

let outcomes: Record<string, Outcome> = {}

beforeAll(async () => {
  outcomes = await outcomesOfPoolrun()
}, 120_000)

describe('a project', () => {
  it.each(names)('%s', (name) => {
    const { right } = PROJECTS[name]!
    expect(outcomes[name]).toEqual(right?.outcome ?? recorded[name]!.node ?? recorded[name]!.tsx)
  })
})

describe('the record', () => {
  it('has every project', () => {
    expect(Object.keys(recorded)).toEqual(names)
  })

  it('is what Node does with those in plain JavaScript', () => {
    const wrong = names.filter(
      (name) => isJavaScript(PROJECTS[name]!) !== (recorded[name]!.node !== undefined),
    )
    expect(wrong).toEqual([])
  })

  // One that needs no loader, and one of each kind that does.
  it.each([
    ['js: sloppy .cjs', 'node'],
    ['cjs: default import of a transpiled package', 'tsx'],
    ['late: tsconfig paths', 'tsx'],
    ['error: a missing export of a file', 'tsx'],
  ] as const)('is what happens today: %s', async (name, tool) => {
    expect(await outcomeOf(PROJECTS[name]!, tool)).toEqual(recorded[name]![tool])
  })
})
