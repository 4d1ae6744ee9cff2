// Compares what was observed with what the scenario's items can lead to. Pure: returns sentences about what is wrong.
import type { Order } from './job/orders.js'
import type { Observed } from './launch.js'
import type { Scenario } from './scenario.js'

type Outcome = 'ok' | 'RangeError' | 'WorkerLostError' | 'TimeoutError' | 'ResultEncodingError' | 'InputError'

/** The outcome of an order if nothing else interferes. */
function natural({ do: what }: Order, retries: number): Outcome {
  switch (what) {
    case 'value':
    case 'sleep':
    case 'big':
    case 'print':
      return 'ok'
    case 'throw':
    case 'reject':
      return 'RangeError'
    case 'flaky':
      return retries > 0 ? 'ok' : 'RangeError'
    case 'bigint':
      return 'ResultEncodingError'
    case 'exit':
    case 'exit-later':
    case 'kill':
    case 'vanish':
    case 'abort':
    case 'escape':
      return 'WorkerLostError'
    case 'hang':
    case 'hang-politely':
    case 'busy':
      return 'TimeoutError'
    case 'malformed':
      return 'InputError'
    default:
      return what satisfies never
  }
}

export function verify(scenario: Scenario, observed: Observed): string[] {
  const { command, orders, unordered, interrupt } = scenario
  const { exitCode, signal, stderr, kills } = observed
  const wrong: string[] = [...observed.troubles]
  if (wrong.length > 0) return wrong
  const report = (text: string) => void wrong.push(text)

  const may = allowedOutcomes(scenario, kills)
  const written = readOutput(scenario, observed, report)
  if (written === undefined) return wrong
  const interrupted = interrupt !== undefined && signal === interrupt.signal
  if (signal !== null && !interrupted) report(`ended by ${signal}`)

  checkNoneTwice(written, 'written', report)
  if (!unordered && written.some((index, position) => position > 0 && index <= written[position - 1]!))
    report('results out of order')
  for (const index of written)
    if (!may(index).has('ok'))
      report(`item ${index} (${orders[index]?.do}) is written and cannot have succeeded`)

  checkBegun(scenario, observed, written, report)
  const settled = checkSettled(scenario, observed, may, report)
  if (settled !== undefined)
    for (const index of written)
      if (settled.get(index) !== 'ok') report(`item ${index} is written and no callback was called for it`)

  const summary = stderr.trimEnd().split('\n').at(-1) ?? ''
  const counts = /[\d,]+ ok.*/.exec(summary)?.[0]
  if (counts === undefined) {
    if (!interrupted || stderr !== '') report('no summary line')
    return wrong
  }
  const counted = (what: string) =>
    Number((new RegExp(`([\\d,]+) ${what}`).exec(counts)?.[1] ?? '0').replaceAll(',', ''))
  const [ok, failed, notRun] = [counted('ok'), counted('failed'), counted('not run')]
  const cancelled = counted('cancelled while running')
  const wholeInput = !summary.includes('the rest of the input')
  if (wholeInput && ok + failed + cancelled + notRun !== orders.length)
    report(
      `${ok} ok + ${failed} failed + ${cancelled} cancelled + ${notRun} not run are not the ${orders.length} items`,
    )
  if (settled !== undefined && settled.size !== ok + failed)
    report(`callbacks were called for ${settled.size} items, the summary line has ${ok + failed}`)
  if (interrupted) return wrong

  switch (command) {
    case 'map': {
      const expected = failed > 0 ? 1 : 0
      if (exitCode !== expected) report(`exit code ${exitCode} with ${failed} failed`)
      if (written.length !== (failed > 0 ? 0 : orders.length)) report(`map wrote ${written.length} results`)
      break
    }
    case 'imap':
    case 'imap-unordered': {
      if (exitCode === 0) {
        if (written.length !== orders.length)
          report(`imap wrote ${written.length} of ${orders.length} results`)
      } else if (exitCode === 1) {
        if (command === 'imap' && written.some((index, position) => index !== position))
          report('imap wrote past a gap')
        if (command === 'imap' && [...may(written.length)].every((outcome) => outcome === 'ok'))
          report(`imap stopped at item ${written.length}, which cannot fail`)
      } else report(`exit code ${exitCode}`)
      break
    }
    case 'collect': {
      const expected = failed > 0 ? 3 : 0
      if (exitCode !== expected) report(`exit code ${exitCode} with ${failed} failed`)
      if (notRun !== 0 || !wholeInput) report(`collect left out ${notRun} items`)
      if (written.length !== ok) report(`collect wrote ${written.length} results and counts ${ok}`)
      const there = new Set(written)
      for (const { i } of orders)
        if (!there.has(i) && [...may(i)].every((outcome) => outcome === 'ok'))
          report(`item ${i} (${orders[i]?.do}) failed and cannot have`)
      break
    }
    default:
      command satisfies never
  }
  return wrong
}

export function allowedOutcomes(
  {
    orders,
    retries,
    timeoutMs,
    concurrency,
  }: Pick<Scenario, 'orders' | 'retries' | 'timeoutMs' | 'concurrency'>,
  kills: number,
) {
  // An item may be lost because a neighbour in its worker crashed, or because its worker was killed from outside.
  const crashes = orders.some((order) =>
    ['WorkerLostError', 'TimeoutError'].includes(natural(order, retries)),
  )
  const beside = kills > 0 || (concurrency > 1 && (crashes || timeoutMs !== undefined))
  return (index: number): Set<string> => {
    const order = orders[index]
    if (order === undefined) return new Set()
    const outcome = natural(order, retries)
    const all = new Set<string>([outcome])
    if (outcome === 'InputError') return all
    if (beside) all.add('WorkerLostError')
    // Beside a busy neighbour, or on a busy machine, any item may time out.
    if (timeoutMs !== undefined) all.add('TimeoutError')
    // A killed attempt counts, too, so the attempt of a flaky item that throws may be its last.
    if (order.do === 'flaky' && (beside || timeoutMs !== undefined)) all.add('RangeError')
    return all
  }
}

function readOutput(
  { output, orders }: Scenario,
  { stdout }: Observed,
  report: (text: string) => void,
): number[] | undefined {
  try {
    const values: { i: number; pad?: string }[] =
      output === 'json'
        ? JSON.parse(stdout === '' ? '[]' : stdout)
        : stdout
            .split('\n')
            .slice(0, -1)
            .map((line) => JSON.parse(line))
    if (output === 'ndjson' && stdout !== '' && !stdout.endsWith('\n')) report('the last line is torn')
    for (const { i, pad } of values)
      if ((pad?.length ?? 0) !== (orders[i]?.do === 'big' ? (orders[i].size ?? 0) : 0))
        report(`the result of item ${i} is not what it returned`)
    return values.map(({ i }) => i)
  } catch (error) {
    report(`stdout does not parse: ${String(error)}`)
    return undefined
  }
}

/** Beside an item that exceeds its time, an attempt of another one may begin again, which costs it none. */
export function mayRepeatAttempts({
  concurrency,
  retries,
  timeoutMs,
}: Pick<Scenario, 'concurrency' | 'retries' | 'timeoutMs'>): boolean {
  return concurrency > 1 && retries > 0 && timeoutMs !== undefined
}

export function checkNoneTwice(
  indexes: readonly (number | string)[],
  what: string,
  report: (text: string) => void,
): void {
  const seen = new Set<number | string>()
  for (const index of indexes) {
    if (seen.has(index)) report(`item ${index} is ${what} twice`)
    seen.add(index)
  }
}

function checkBegun(
  scenario: Scenario,
  { begun, kills }: Observed,
  written: readonly number[],
  report: (text: string) => void,
): void {
  const { cheap, retries, orders } = scenario
  const starts = begun.map((line) => line.split(' ').slice(0, 2).join(' attempt '))
  const announced = orders.every(({ do: what }) => what !== 'vanish')
  // Cheap items may begin again, if their worker was killed without a word.
  const isEachRecorded = !cheap || (kills === 0 && announced)
  if (isEachRecorded && !mayRepeatAttempts(scenario)) checkNoneTwice(starts, 'begun', report)
  const ids = new Set<number>()
  for (const line of begun) {
    const [index, attempt] = line.split(' ').map(Number) as [number, number]
    ids.add(index)
    if (attempt > retries + 1) report(`item ${index} had attempt ${attempt}`)
  }
  for (const index of written) if (!ids.has(index)) report(`item ${index} is written and has never begun`)
}

function checkSettled(
  { callbacks, orders }: Scenario,
  { settled }: Observed,
  may: (index: number) => Set<string>,
  report: (text: string) => void,
): Map<number, string> | undefined {
  if (!callbacks) return undefined
  checkNoneTwice(
    settled.map((line) => line.slice(0, line.indexOf(' '))),
    'settled',
    report,
  )
  const outcomes = new Map<number, string>()
  for (const line of settled) {
    const [index, outcome, value] = line.split(' ') as [string, string, string | undefined]
    outcomes.set(Number(index), outcome)
    if (outcome === 'ok' && value !== index) report(`item ${index} settled with the value of item ${value}`)
    if (!may(Number(index)).has(outcome))
      report(`item ${index} (${orders[Number(index)]?.do}) settled as ${outcome}`)
  }
  return outcomes
}
