// Makes a row of each number.
export default (n) => ({ n, name: `number ${n}`, half: n / 2 })
