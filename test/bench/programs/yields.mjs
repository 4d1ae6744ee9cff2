export default function* (item) {
  yield item
}
