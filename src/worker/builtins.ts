// Whether what this worker's own code uses of the language still works. A job can replace it: then results would get lost or
// mixed up, later, while an item runs that did nothing wrong. A replacement that works, as a polyfill's does, is accepted.

const arrays = Array.prototype
const strings = String.prototype
const functions = Function.prototype
const maps = Map.prototype
const sets = Set.prototype
const arrayIterators: { next: unknown } = Object.getPrototypeOf([][Symbol.iterator]())
const mapIterators: { next: unknown } = Object.getPrototypeOf(new Map()[Symbol.iterator]())
const { is, defineProperty } = Object

/** Parts of the language, and a use of each. Throws, or returns something else than true, if it does not work. */
const USES: Readonly<Record<string, () => boolean>> = {
  'Array.prototype.push': () => {
    const array = [1]
    return array.push(2, 3) === 3 && array[2] === 3 && array.length === 3
  },
  'Array.prototype.shift': () => {
    const array = [1, 2]
    return array.shift() === 1 && array.length === 1 && array[0] === 2
  },
  'Array.prototype.splice': () => {
    const array = [1, 2]
    return array.splice(0)[1] === 2 && array.length === 0
  },
  'Array.prototype.map': () => [1].map((n) => n + 1)[0] === 2,
  'Array.prototype.flatMap': () => [1].flatMap((n) => [n, n])[1] === 1,
  'Array.prototype.filter': () => [1, 2].filter((n) => n > 1)[0] === 2,
  'Array.prototype.find': () => [1, 2].find((n) => n > 1) === 2,
  'Array.prototype.findIndex': () => [1, 2].findIndex((n) => n > 1) === 1,
  'Array.prototype.slice': () => [1, 2].slice(1)[0] === 2,
  'Array.prototype.some': () => [1].some((n) => n === 1),
  'Array.prototype.join': () => [1, 2].join('\n') === '1\n2',
  'Array.prototype[Symbol.iterator]': () => {
    let sum = 0
    for (const n of [1, 2]) sum += n
    return sum === 3
  },
  'String.prototype.slice': () => 'abc'.slice(1, 2) === 'b',
  'String.prototype.split': () => 'a\nb'.split('\n')[1] === 'b',
  'String.prototype.indexOf': () => 'a\nb'.indexOf('\n', 1) === 1 && 'a'.indexOf('\n') === -1,
  'String.prototype.charCodeAt': () => 'a'.charCodeAt(0) === 97,
  'Function.prototype.call': () => is.call(undefined, 1, 1) && !is.call(undefined, 1, 2),
  'Function.prototype.apply': () => is.apply(undefined, [1, 1]) && !is.apply(undefined, [1, 2]),
  'Map.prototype': () => {
    const map = new Map([[1, 2]])
    return map.get(1) === 2 && map.set(2, 3).get(2) === 3 && [...map.values()].length === 2 && map.delete(1)
  },
  'Set.prototype': () => {
    const set = new Set([1])
    return set.has(1) && set.add(2).has(2) && set.delete(2) && [...set].length === 1
  },
}

/** Where each of them is, under a name that is used once. */
const PLACES = {
  push: [arrays, 'push'],
  shift: [arrays, 'shift'],
  splice: [arrays, 'splice'],
  map: [arrays, 'map'],
  flatMap: [arrays, 'flatMap'],
  filter: [arrays, 'filter'],
  find: [arrays, 'find'],
  findIndex: [arrays, 'findIndex'],
  slice: [arrays, 'slice'],
  some: [arrays, 'some'],
  join: [arrays, 'join'],
  iterator: [arrays, Symbol.iterator],
  next: [arrayIterators, 'next'],
  sliceString: [strings, 'slice'],
  split: [strings, 'split'],
  indexOf: [strings, 'indexOf'],
  charCodeAt: [strings, 'charCodeAt'],
  call: [functions, 'call'],
  apply: [functions, 'apply'],
  get: [maps, 'get'],
  set: [maps, 'set'],
  deleteKey: [maps, 'delete'],
  nextEntry: [mapIterators, 'next'],
  add: [sets, 'add'],
  has: [sets, 'has'],
  delete: [sets, 'delete'],
} as const
type Name = keyof typeof PLACES

/** As they were when they were last found to work. */
const working = {} as Record<Name, unknown>
for (const name in PLACES) accept(name as Name)

/** Called after each item: nothing is allocated, called or looked up by a name that is not constant. */
function areUnchanged(): boolean {
  const w = working
  return (
    arrays.push === w.push &&
    arrays.shift === w.shift &&
    arrays.splice === w.splice &&
    arrays.map === w.map &&
    arrays.flatMap === w.flatMap &&
    arrays.filter === w.filter &&
    arrays.find === w.find &&
    arrays.findIndex === w.findIndex &&
    arrays.slice === w.slice &&
    arrays.some === w.some &&
    arrays.join === w.join &&
    arrays[Symbol.iterator] === w.iterator &&
    arrayIterators.next === w.next &&
    strings.slice === w.sliceString &&
    strings.split === w.split &&
    strings.indexOf === w.indexOf &&
    strings.charCodeAt === w.charCodeAt &&
    functions.call === w.call &&
    functions.apply === w.apply &&
    maps.get === w.get &&
    maps.set === w.set &&
    maps.delete === w.deleteKey &&
    mapIterators.next === w.nextEntry &&
    sets.add === w.add &&
    sets.has === w.has &&
    sets.delete === w.delete
  )
}

/**
 * The part of the language that the job has broken; `undefined` if all of it works. What worked before is put back: this
 * process can still report what has happened, and then has to end.
 */
export function brokenBuiltin(): string | undefined {
  if (areUnchanged()) return undefined
  for (const name in USES)
    if (!works(USES[name]!)) {
      for (const part in PLACES) restore(part as Name)
      return name
    }
  for (const part in PLACES) accept(part as Name)
  return undefined
}

// Without destructuring an array, which takes an iterator.

function accept(name: Name): void {
  const place = PLACES[name]
  working[name] = (place[0] as Record<PropertyKey, unknown>)[place[1]]
}

function restore(name: Name): void {
  const place = PLACES[name]
  const value = working[name]
  defineProperty(place[0], place[1], { value, writable: true, enumerable: false, configurable: true })
}

function works(use: () => boolean): boolean {
  try {
    return use() === true
  } catch {
    return false
  }
}
