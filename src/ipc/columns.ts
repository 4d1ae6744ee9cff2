// Lists of numbers, and lists of objects of one shape as columns. Structured clone writes many numbers as four or eight
// bytes each, and of every object the names of its properties again; it reads objects one property at a time.
// Only objects whose properties are all primitive become columns. They arrive as structured clone would deliver them: it
// takes own enumerable properties in their order, reads getters, and knows neither symbols nor what an object inherits.
import { types } from 'node:util'

// Taken before the job is loaded: it may replace any of these.
const { fromEntries, getPrototypeOf, is, keys, prototype: objectPrototype } = Object
const textOf = objectPrototype.toString
const { apply } = Reflect
const { isArray } = Array
const { stringify } = JSON
const { isProxy } = types
const Code = Function

/** For less, structured clone is as fast. */
export const MIN_PACKED_VALUES = 64
/** Each costs about as much as a few objects. */
const MAX_COLUMNS = 64
/** Shapes whose code is kept. */
const MAX_SHAPES = 100

export type Numbers = Int32Array | Float64Array
type Row = Readonly<Record<string, unknown>>
/** Booleans are bytes. */
type Column = Numbers | Uint8Array | readonly unknown[]

/** Property `names[i]` of each object is in `columns[i]`. */
export interface PackedObjects {
  readonly names: readonly string[]
  readonly columns: readonly Column[]
}

// ── numbers ────────────────────────────────────────────────────────────────────────────────────────────────────────

/** `undefined` if not all of them are numbers. */
export function packNumbers(values: readonly unknown[]): Numbers | undefined {
  if (typeof values[0] !== 'number') return undefined
  const { length } = values
  const integers = new Int32Array(length)
  let i = 0
  for (; i < length; i++) {
    const value = values[i]
    // Checked first: storing anything else converts it, which runs its code or throws.
    if (typeof value !== 'number') return undefined
    integers[i] = value
    // `Object.is`, because -0 would become 0.
    if (!is(integers[i], value)) break
  }
  return i === length ? integers : packFractions(values)
}

function packFractions(values: readonly unknown[]): Float64Array | undefined {
  const fractions = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    const value = values[i]
    if (typeof value !== 'number') return undefined
    fractions[i] = value
  }
  return fractions
}

export function unpackNumbers(numbers: Numbers): readonly unknown[] {
  // Its full length from the start: growing it would cost as much again.
  const values = new Array<number>(numbers.length)
  for (let i = 0; i < numbers.length; i++) values[i] = numbers[i]!
  return values
}

export function isNumbers(content: unknown): content is Numbers {
  return content instanceof Int32Array || content instanceof Float64Array
}

// ── objects ────────────────────────────────────────────────────────────────────────────────────────────────────────

/**
 * `undefined` if the values are not objects with the same properties, all of them primitive. One that occurs twice arrives
 * as two. Never throws.
 */
export function packObjects(values: readonly unknown[]): PackedObjects | undefined {
  try {
    const first = values[0]
    if (!isPlain(first) || doObjectsInherit()) return undefined
    const names = keys(first)
    if (names.length === 0 || names.length > MAX_COLUMNS) return undefined
    if (!haveOnly(names, values)) return undefined
    const columns: Column[] = []
    for (let i = 0; i < names.length; i++) {
      const column = columnOf(values as readonly Row[], names[i]!)
      if (column === undefined) return undefined
      columns.push(column)
    }
    return { names, columns }
  } catch {
    // A getter has thrown. Structured clone reports it.
    return undefined
  }
}

/** Whether anything enumerable was added to all objects: structured clone leaves it out. */
function doObjectsInherit(): boolean {
  for (const _ in objectPrototype) return true
  return false
}

/** Its text tells an object from `arguments`, and from a date or an error whose prototype was replaced. */
function isPlain(value: unknown): value is Row {
  return (
    typeof value === 'object' &&
    value !== null &&
    getPrototypeOf(value) === objectPrototype &&
    !isProxy(value) &&
    apply(textOf, value, []) === '[object Object]'
  )
}

/** Whether each of the values is an object with these properties in this order. */
function haveOnly(names: readonly string[], values: readonly unknown[]): boolean {
  for (let row = 0; row < values.length; row++) {
    const value = values[row]
    if (!isPlain(value)) return false
    let i = 0
    // Faster than a list of its keys, and the same: nothing is inherited.
    for (const name in value) if (name !== names[i++]) return false
    if (i < names.length) return false
  }
  return true
}

// Column by column: V8 reads one property of many objects faster than many properties of one, and stores the values as what
// they are.

/** `undefined` if they are not all primitive. */
function columnOf(rows: readonly Row[], name: string): Column | undefined {
  const first = rows[0]![name]
  if (typeof first === 'number')
    return integersOf(rows, name) ?? fractionsOf(rows, name) ?? primitivesOf(rows, name)
  return (typeof first === 'boolean' ? booleansOf(rows, name) : undefined) ?? primitivesOf(rows, name)
}

function integersOf(rows: readonly Row[], name: string): Int32Array | undefined {
  const integers = new Int32Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![name]
    if (typeof value !== 'number') return undefined
    integers[i] = value
    if (!is(integers[i], value)) return undefined
  }
  return integers
}

function fractionsOf(rows: readonly Row[], name: string): Float64Array | undefined {
  const fractions = new Float64Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![name]
    if (typeof value !== 'number') return undefined
    fractions[i] = value
  }
  return fractions
}

function booleansOf(rows: readonly Row[], name: string): Uint8Array | undefined {
  const booleans = new Uint8Array(rows.length)
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![name]
    if (typeof value !== 'boolean') return undefined
    booleans[i] = value ? 1 : 0
  }
  return booleans
}

function primitivesOf(rows: readonly Row[], name: string): readonly unknown[] | undefined {
  // Not of its full length: structured clone takes longer for an array that once had holes.
  const values: unknown[] = []
  for (let i = 0; i < rows.length; i++) {
    const value = rows[i]![name]
    if (!isPrimitive(value)) return undefined
    values[i] = value
  }
  return values
}

function isPrimitive(value: unknown): boolean {
  const type = typeof value
  return type === 'object' ? value === null : type !== 'function' && type !== 'symbol'
}

function unpackBooleans(bytes: Uint8Array): readonly boolean[] {
  const values = new Array<boolean>(bytes.length)
  for (let i = 0; i < bytes.length; i++) values[i] = bytes[i] === 1
  return values
}

export function isAscending(column: Column): boolean {
  if (!isNumbers(column)) return false
  for (let i = 1; i < column.length; i++) if (!(column[i]! > column[i - 1]!)) return false
  return true
}

export function isPackedObjects(content: object): content is PackedObjects {
  const { names, columns } = content as Partial<PackedObjects>
  return isArray(names) && isArray(columns)
}

/** @throws if they are malformed */
export function unpackObjects({ names, columns }: PackedObjects, count: number): unknown[] {
  const cells = columns.map((column) => (column instanceof Uint8Array ? unpackBooleans(column) : column))
  if (names.length !== cells.length || cells.some(({ length }) => length !== count))
    throw new TypeError('columns of different lengths')
  const objects = new Array<unknown>(count)
  fillerOf(names)(objects, cells)
  return objects
}

// ── the code that makes objects of columns ─────────────────────────────────────────────────────────────────────────

type Cells = readonly ArrayLike<unknown>[]
type FillWithObjects = (objects: unknown[], cells: Cells) => void

const fillers = new Map<string, FillWithObjects>()

function fillerOf(names: readonly string[]): FillWithObjects {
  const shape = stringify(names)
  let filler = fillers.get(shape)
  if (filler === undefined) {
    if (fillers.size === MAX_SHAPES) fillers.clear()
    filler = newFiller(names)
    fillers.set(shape, filler)
  }
  return filler
}

/** V8 makes objects of a literal three times as fast as in `fillByName`, and here is where the literal is known. */
function newFiller(names: readonly string[]): FillWithObjects {
  const columns = names.map((_, i) => `const c${i} = cells[${i}]`).join('\n')
  // JSON text is a string in a literal, whatever it contains. Without brackets, `__proto__` would set the prototype.
  const properties = names.map((name, i) => {
    const key = name === '__proto__' ? '["__proto__"]' : stringify(name)
    return `${key}: c${i}[i]`
  })
  const code = `${columns}\nfor (let i = 0; i < objects.length; i++) objects[i] = { ${properties.join(', ')} }`
  try {
    return new Code('objects', 'cells', code) as FillWithObjects
  } catch {
    // Node was started with --disallow-code-generation-from-strings.
    return (objects, cells) => fillByName(objects, names, cells)
  }
}

export function fillByName(objects: unknown[], names: readonly string[], cells: Cells): void {
  const empty = fromEntries(names.map((name) => [name, undefined]))
  for (let row = 0; row < objects.length; row++) {
    // Its properties exist: to set one calls no setter that objects inherit.
    const object: Record<string, unknown> = { ...empty }
    for (let i = 0; i < names.length; i++) object[names[i]!] = cells[i]![row]
    objects[row] = object
  }
}
