// A result of 1 MB for every item.
const text = 'x'.repeat(1_000_000)

export default function large(item) {
  return `${text}${item}`
}
