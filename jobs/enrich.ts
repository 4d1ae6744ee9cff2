// Adds name and price of the product to an order. The initializer loads the products once per worker, not per item:
// poolrun collect jobs/enrich.ts -i jobs/data/orders.ndjson --init-args '["jobs/data/products.json"]'
import { readFile } from 'node:fs/promises'

interface Product {
  readonly name: string
  /** In cents, so that sums are exact. */
  readonly price: number
}

interface Order {
  readonly order: string
  readonly sku: string
  readonly quantity: number
}

let products: ReadonlyMap<string, Product>
let lookups = 0

export async function initializer(dictionary: string) {
  products = new Map(
    Object.entries(JSON.parse(await readFile(dictionary, 'utf8')) as Record<string, Product>),
  )
}

export default function enrich({ order, sku, quantity }: Order) {
  if (!Number.isInteger(quantity) || quantity < 1)
    throw new RangeError(`order ${order}: quantity is ${quantity}`)
  const product = products.get(sku)
  if (product === undefined) throw new Error(`order ${order}: no product ${sku}`)
  lookups++
  return { order, product: product.name, quantity, total: product.price * quantity }
}

/** What a job prints goes to stderr, line by line, and never mixes with the results. */
export function finalizer() {
  console.log(`enriched ${lookups} orders from ${products.size} products`)
}
