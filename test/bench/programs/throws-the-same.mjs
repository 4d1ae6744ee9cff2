// Every item fails, and each like the others.
export default function throws() {
  throw new Error('no luck')
}
