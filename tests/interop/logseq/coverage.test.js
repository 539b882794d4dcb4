'use strict'
// Nothing that the server knows goes untried: the tables of routes and messages
// are taken from its source, and each row must be in a wire script.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { test } = require('node:test')

const top = process.env.QUIRE_TOP || '.'
const read = (dir, fits) => fs.readdirSync(path.join(top, dir))
  .filter((name) => fits.test(name))
  .map((name) => fs.readFileSync(path.join(top, dir, name), 'utf8')).join('\n')

const worker = read('worker', /^(dialect_)?logseq.*\.c$/)
const broker = read('broker', /^logseq.*\.c$/)
const wire = read('tests/wire', /^logseq.*\.wire$/)
const js = read('tests/interop/logseq', /\.js$/)
const lines = wire.split('\n')

const all = (text, pattern) => {
  const found = [...new Set([...text.matchAll(pattern)].map((m) => m[1]))]
  assert.ok(found.length > 3, `${pattern} finds its places in the code`)
  return found
}

// A pattern of the route table as one of what follows a method in a script.
const target = (pattern) => new RegExp('^' + pattern.split('/').map((s) =>
  s === ':' ? '[^/?]+' : s === '*' ? '.+' : s.replace(/[.]/g, '\\.'))
  .join('/') + '(\\?|$)')

test('every route is asked for by a wire script', () => {
  const rows = [...worker.matchAll(/\{ "([A-Z]+|\*)", "(\/[^"]*)"/g)]
  assert.ok(rows.length > 25, `${rows.length} routes`)
  const asked = lines.map((line) => line.split(' '))
    .filter((words) => words[1] === 'request' || words[1] === 'connect')
    .map((words) => words[1] === 'connect' ? ['GET', words[2]] : words.slice(2))
  for (const [, method, pattern] of rows) {
    const fits = target(pattern)
    assert.ok(asked.some(([m, where]) => (method === '*' || m === method) &&
      fits.test(where ?? '')), `${method} ${pattern}`)
  }
})

test('every word of a client is said in a wire script', () => {
  const table = /socket_words\[\] = \{(.*?)\n\};/s.exec(worker)[1]
  for (const word of all(table, /\{ "([^"]+)"/g)) {
    assert.ok(lines.some((l) => l.includes('> text {"type":"' + word)), word)
  }
})

test('every message of the server is awaited in a wire script', () => {
  for (const type of all(worker + broker, /\\"type\\":\\"([a-z/-]+)\\"/g)) {
    assert.ok(lines.some((l) => /^[A-Z]< /.test(l) &&
      l.includes(`"type":"${type}"`)), type)
  }
})

// What only a relay says that is out of memory, disk or sessions, or stops:
// tests/ops/faults.sh and tests/ops/stop.sh make it so.
const unasked = new Set(['server error', 'try again later'])

test('every reason of a rejection and every refusal is awaited somewhere',
  () => {
    const reasons = all(fs.readFileSync(path.join(top, 'worker/logseq_tx.c'),
      'utf8'), /"((?:stale|empty|invalid|db|snapshot|cycle)[a-z -]*)"/g)
    const refusals = all(worker,
      /(?:logseq_error\([^"]*?|\{ CODE_[A-Z_]+, )\d+,\s*"([^"]+)"/g)
    assert.deepStrictEqual([...reasons, ...refusals].filter((text) =>
      !unasked.has(text) && !wire.includes(`"${text}"`) &&
      !js.includes(`'${text}'`)), [])
  })
