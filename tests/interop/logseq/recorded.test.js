'use strict'
// What real clients sent to the original server, through Transit reader and
// engine: the same t and checksum after every batch.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const { execFileSync } = require('node:child_process')
const { test } = require('node:test')
const { Engine } = require('./drive.js')
const snapshot = require('./snapshot.js')

const vectors = process.env.QUIRE_SHARED &&
  path.join(process.env.QUIRE_SHARED, 'protocols/vectors/logseq')
const skip = !vectors || !fs.existsSync(vectors)
const BASE_SUM = '45d0b177a7b46ad3'

const upload = async (engine, { eavt, tail }) => {
  const teaches = /^db\/(ident|valueType|cardinality|index|unique)$/
  const line = ([e, a, v, tx]) =>
    `datom\t${e} ${tx} ${String(a).slice(1)}\t${snapshot.text(v)}`
  const put = async (datoms, ref) => {
    for (let i = 0; i < datoms.length; i += 250) {
      for (const d of datoms.slice(i, i + 250)) engine.say(line(d))
      assert.strictEqual(await engine.ask(`put\t${ref}`), 'ok')
    }
  }
  assert.strictEqual(await engine.ask('upload'), 'ok')
  await put(eavt.filter((d) => teaches.test(String(d[1]).slice(1))), '')
  await put(eavt, '')
  await put(tail, 'tail')
}

const base = () => snapshot.open(
  fs.readFileSync(path.join(vectors, 'base-snapshot.framed')))

test('the checksum of an upload is the one its client computed', { skip },
  async () => {
    const engine = new Engine()
    const graph = base()
    await upload(engine, graph)
    assert.strictEqual(await engine.ask('sum'), 'ok')
    assert.strictEqual(await engine.ask('finish\t'), 'ok')
    assert.strictEqual(await engine.ask('state'), `0 ${BASE_SUM} 1`)
    const dump = await engine.dump()
    assert.strictEqual(dump.length, graph.eavt.length)
    assert.deepStrictEqual(dump, graph.eavt.map(([e, a, v]) =>
      [e, String(a).slice(1), JSON.parse(snapshot.text(v))]))
    engine.end()
  })

test('batches of real clients lead to the same t and checksum', { skip },
  async () => {
    const engine = new Engine()
    const lines = execFileSync('xz',
      ['-dc', path.join(vectors, 'real-clients.jsonl.xz')],
      { encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n')
    const asked = new Map()
    let batches = 0

    await upload(engine, base())
    assert.strictEqual(await engine.ask(`finish\t${BASE_SUM}`), 'ok')
    for (const line of lines) {
      const { id, kind, dir, text } = JSON.parse(line)
      if (kind !== 'ws') continue
      const m = JSON.parse(text)
      if (dir === 'C>S' && m.type === 'tx/batch') asked.set(id, m)
      if (m.type !== 'tx/batch/ok') continue
      let answer
      for (const e of asked.get(id).txs) {
        answer = await engine.tx(e['outliner-op'] ?? '', e.tx)
        assert.strictEqual(answer.result, 0, e.tx)
      }
      assert.strictEqual(answer.t, m.t)
      assert.strictEqual(answer.sum, m.checksum)
      batches++
    }
    assert.ok(batches > 15, `${batches} batches`)
    engine.end()
  })
