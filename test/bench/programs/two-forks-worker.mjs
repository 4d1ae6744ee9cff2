// A worker of the two bare forks.
const double = ({ n }) => 2 * n

process.on('message', ([index, item]) => process.send([index, double(item)]))
