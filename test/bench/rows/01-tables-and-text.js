// Records that are not JSON: CSV with quoted fields, and lines of text that stay text.
import { wholeProcess } from '../measure.js'
import { csvRecords, poolrun, program, python, records } from '../tools.js'

export default {
  number: 1,
  title: 'imap of an identity job over a million CSV records and 1,200,000 lines of text, whole process',
  async run({ tmp, alternate, row, skip }) {
    if (!python) return skip('Python Pool.imap', 'no python3 here')
    const csv = csvRecords(tmp, 1_000_000)
    const text = records(tmp, 1_200_000, 'ndjson')
    const imap = [...poolrun, 'imap', program('identity.mjs'), '-j', '2']
    const times = await alternate({
      csv: () => wholeProcess([...imap, '--input-format', 'csv'], { stdin: csv }),
      pythonCsv: () => wholeProcess([python, program('imap_csv.py')], { stdin: csv }),
      text: () => wholeProcess([...imap, '--input-format', 'lines', '--format', 'raw'], { stdin: text }),
      pythonText: () => wholeProcess([python, program('imap_lines.py')], { stdin: text }),
    })
    row({
      versus: '1d. csv, against Python DictReader, Pool.imap',
      ours: times.csv,
      peer: times.pythonCsv,
      atLeast: 2,
    })
    row({
      versus: '1e. lines, against Python Pool.imap',
      ours: times.text,
      peer: times.pythonText,
      atLeast: 1.5,
    })
  },
}
