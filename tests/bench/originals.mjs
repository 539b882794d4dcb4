// The dialects beside their npm originals: scripts with clients of their own,
// since what they send is not a marker and a number.  What they print becomes
// rows.

import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import { script } from './peers.mjs'

function packages (dir, why) {
  if (fs.existsSync(`${dir}/node_modules`)) return true
  try {
    execFileSync('npm', ['ci', '--no-audit', '--no-fund'],
      { cwd: dir, stdio: 'ignore' })
    return true
  } catch {
    console.error(`bench: no npm packages for ${dir}, ${why}`)
    return false
  }
}

// canvas NAME=OURS original=THEIRS ratio=...
async function canvas () {
  if (!packages('tests/interop/canvas', 'without the canvas original')) return []
  const out = await script([process.execPath, 'tests/bench/canvas.mjs'])
  return [...out.matchAll(/^canvas (\S+)=(\S+) original=(\S+)/gm)].map(
    ([, name, ours, theirs]) => ({
      row: { what: `canvas: ${name.replace(/_ms$/, '').replaceAll('_', ' ')}`,
        unit: name.endsWith('_ms') ? 'ms' : '/s', baseName: 'npm, in memory' },
      pair: [Number(ours), Number(theirs)] }))
}

// NAME server=SERVER UNIT=VALUE: ours first, then the originals
async function secsync () {
  if (!packages('tests/interop/secsync', 'without the secsync original')) return []
  packages('tests/bench/secsync', 'without a durable secsync original')
  const out = await script([process.execPath, 'tests/bench/secsync/bench.js'])
  const rows = []
  let ours
  for (const [, what, server, unit, value] of
    out.matchAll(/^(.*) server=(\S+) (\S+?)=(\S+)/gm)) {
    if (server === 'quire') {
      ours = Number(value)
    } else {
      rows.push({ row: { what: `secsync: ${what.replace('=', ' ')}`,
        unit: unit === 'ms' ? 'ms' : '/s', baseName: `npm, ${server}` },
      pair: [ours, Number(value)] })
    }
  }
  return rows
}

export const originals = [
  { name: 'canvas', run: canvas },
  { name: 'secsync', run: secsync }
]
