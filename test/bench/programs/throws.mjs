// Every item fails, each with a message of its own.
export default function throws(item) {
  throw new Error(`no luck with ${item}`)
}
