// run.mjs [PATTERN ...]: the suite, or the groups whose name holds one of the
// patterns.  RUNS=N changes how often each group is measured (3).  The table
// goes to standard output, the same as JSON to bench.json below the build
// directory; README says how to read them.

import fs from 'node:fs'
import os from 'node:os'
import path from 'node:path'
import { fetchPeers, measure } from './peers.mjs'
import { originals } from './originals.mjs'
import { groups } from './rows.mjs'
import { head, summary, text, verdict } from './table.mjs'

const RUNS = Number(process.env.RUNS) || 3
const build = process.env.QUIRE_B || '.build'
const patterns = process.argv.slice(2)
const wanted = g => patterns.length === 0 ||
  patterns.some(p => g.name.includes(p))

// The measurements that a side of a row needs.
function needs (side) {
  if (side.constant !== undefined) return []
  return side.list ? side.list.flatMap(needs) : [side.what]
}

// A side's figure in one run.
function figure (side, run) {
  if (side.constant !== undefined) return side.constant
  if (side.list) return Math[side.of](...side.list.map(s => figure(s, run)))
  const m = run.get(side.what)
  return side.by ? m[side.field] / m[side.by] : m[side.field]
}

async function runGroup (group) {
  const names = [...new Set(group.rows.flatMap(r =>
    [...needs(r.ours), ...needs(r.base)]))]
  const runs = []
  for (let i = 0; i < Math.max(1, RUNS * (group.times ?? 1)); i++) {
    const run = new Map()
    for (const name of names) run.set(name, await measure(name))
    runs.push(run)
  }
  return group.rows.map(row => judged({ group: group.name, what: row.what,
    unit: row.unit, baseName: row.baseName, target: row.target },
  runs.map(run => [figure(row.ours, run), figure(row.base, run)])))
}

function judged (row, pairs) {
  row.ours = summary(pairs.map(([ours]) => ours))
  row.base = summary(pairs.map(([, base]) => base))
  row.ratio = summary(pairs.map(([ours, base]) => ours / base))
  row.minus = summary(pairs.map(([ours, base]) => ours - base))
  row.met = verdict(row)
  return row
}

fetchPeers()
const rows = []
const say = list => {
  rows.push(...list)
  for (const row of list) console.log(text(row))
}
console.log(head())
for (const group of groups.filter(wanted)) say(await runGroup(group))
for (const one of originals.filter(wanted)) {
  const found = new Map()
  for (let i = 0; i < RUNS; i++) {
    for (const { row, pair } of await one.run()) {
      if (!found.has(row.what + row.baseName)) {
        found.set(row.what + row.baseName, { row, pairs: [] })
      }
      found.get(row.what + row.baseName).pairs.push(pair)
    }
  }
  say([...found.values()].map(({ row, pairs }) =>
    judged({ group: one.name, ...row }, pairs)))
}
const met = rows.filter(r => r.met === true).length
const missed = rows.filter(r => r.met === false).length
console.log(`\ntargets: ${met} met, ${missed} not met, ` +
  `${rows.filter(r => r.target).length - met - missed} not measured`)
fs.writeFileSync(path.join(build, 'bench.json'), JSON.stringify({
  when: new Date().toISOString(), kernel: os.release(),
  cpus: os.cpus().map(c => c.model), rows }, null, 1) + '\n')
