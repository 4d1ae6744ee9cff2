// Every item prints three lines.
export default function prints(item) {
  console.error(`item ${item}: started`)
  console.error(`item ${item}: half way through`)
  console.error(`item ${item}: done`)
  return item
}
