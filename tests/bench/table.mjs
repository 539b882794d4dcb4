// Figures into one table: medians of runs, their spread, and whether a target is
// met.

export function median (values) {
  const v = [...values].sort((a, b) => a - b)
  const m = v.length >> 1
  return v.length % 2 ? v[m] : (v[m - 1] + v[m]) / 2
}

export function summary (values) {
  const v = values.filter(Number.isFinite)
  if (v.length === 0) return null
  return { median: median(v), low: Math.min(...v), high: Math.max(...v),
    runs: v.length }
}

const holds = { '<=': (v, limit) => v <= limit, '>=': (v, limit) => v >= limit }

// What a target is about: ratio, ours or minus (ours less baseline); undefined
// where there is no target, or no figure.
export function verdict (row) {
  const s = row.target && row[row.target.of]
  if (!s) return undefined
  return holds[row.target.is](s.median, row.target.limit)
}

function short (x) {
  if (x === 0) return '0'
  const a = Math.abs(x)
  if (a >= 1e6) return `${(x / 1e6).toPrecision(3)}M`
  if (a >= 1e3) return a >= 1e5 ? `${Math.round(x / 1e3)}k` : String(Math.round(x))
  return String(Number(x.toPrecision(3)))
}

const pair = s => s ? short(s.median) : '-'
const spread = s => s ? `${short(s.low)}..${short(s.high)}` : '-'

function judged (row) {
  if (!row.target) return ''
  const v = verdict(row)
  const { of, is, limit } = row.target
  const s = row[of]
  const what = `${of === 'ratio' ? '' : `${of} `}${is} ${limit}`
  if (v === undefined) return `${what}: not measured`
  return `${what}: ${v ? 'met' : 'NOT met'}` +
    (of === 'ratio' ? '' : `, ${short(s.median)}`)
}

const columns = [
  ['figure', r => r.what, 44],
  ['unit', r => r.unit, 9],
  ['quire', r => pair(r.ours), -8],
  ['baseline', r => r.baseName, 18],
  ['', r => pair(r.base), -8],
  ['ratio', r => pair(r.ratio), -7],
  ['spread', r => spread(r.ratio), 16],
  ['runs', r => String(r.ours?.runs ?? 0), -4],
  ['target', judged, 0]
]

function cell (text, width) {
  return width < 0 ? text.padStart(-width) : text.padEnd(width)
}

function line (cells) {
  return cells.map((c, i) => cell(c, columns[i][2])).join('  ').trimEnd()
}

export const head = () => line(columns.map(c => c[0]))
export const text = row => line(columns.map(c => c[1](row)))
