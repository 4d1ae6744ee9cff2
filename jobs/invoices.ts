// Computes the total of an invoice. A bad amount is reported as a chain of causes: the amount, the line, the invoice.
interface Invoice {
  readonly id: string
  readonly lines: readonly { readonly text: string; readonly amount: string }[]
}

function cents(amount: string) {
  if (!/^-?\d+\.\d{2}$/.test(amount)) throw new RangeError(`not an amount: ${JSON.stringify(amount)}`)
  return Math.round(Number(amount) * 100)
}

function lineTotal({ text, amount }: Invoice['lines'][number]) {
  try {
    return cents(amount)
  } catch (cause) {
    throw new Error(`line "${text}" has no amount`, { cause })
  }
}

export default function total({ id, lines }: Invoice) {
  try {
    let sum = 0
    for (const line of lines) sum += lineTotal(line)
    return { id, cents: sum }
  } catch (cause) {
    throw new Error(`invoice ${id} cannot be settled`, { cause })
  }
}
