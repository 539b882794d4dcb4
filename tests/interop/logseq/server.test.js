'use strict'
// The whole server: snapshots there and back, read by others than ourselves,
// and replicas that write through its crashes.

const assert = require('node:assert')
const crypto = require('node:crypto')
const d = require('datascript')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const { test } = require('node:test')
const zlib = require('node:zlib')
const { Relay } = require('../relay.js')
const { User } = require('./client.js')
const snapshot = require('./snapshot.js')

const base = process.env.QUIRE_SHARED && path.join(process.env.QUIRE_SHARED,
  'protocols/vectors/logseq/base-snapshot.framed')
const skip = !base || !fs.existsSync(base)

const serve = (name, { settings, ...options }, body) => test(name, options,
  async () => {
    const relay = await Relay.start(settings)
    try {
      await body(relay, new User(relay, 'ann'))
    } finally {
      await relay.stop()
    }
  })

const upload = (user, graph, octets) => user.http('POST',
  `/sync/${graph}/snapshot/upload?reset=true&finished=true`,
  zlib.gzipSync(octets), { 'content-type': 'application/transit+json',
    'content-encoding': 'gzip' })

// The tree's datoms with the tail folded in: text, for comparison.
const state = (octets) => {
  const { eavt, aevt, avet, tail } = snapshot.open(octets)
  const text = ([e, a, v]) => `${e} ${a} ${snapshot.text(v)}`
  const folded = (list) => {
    const all = new Set(list.map(text))
    for (const [e, a, v, tx] of tail) {
      if (tx < 0) all.delete(text([e, a, v]))
      else all.add(text([e, a, v]))
    }
    return [...all].sort()
  }
  assert.deepStrictEqual(folded(aevt), folded(eavt))
  const whole = new Set(folded(eavt))
  assert.ok(avet.length <= eavt.length)
  if (tail.length === 0) {
    assert.ok(avet.every((x) => whole.has(text(x))))
  }
  return folded(eavt)
}

const add = (e, a, v) => ['~:db/add', e, `~:${a}`, v]
const at = (uuid) => ['~:block/uuid', `~u${uuid}`]
const page = (uuid, title) => [add(uuid, 'block/uuid', `~u${uuid}`),
  add(uuid, 'block/name', title), add(uuid, 'block/title', title)]

serve('an uploaded graph comes back as it was, without garbage', { skip },
  async (relay, ann) => {
    const octets = fs.readFileSync(base)
    const graph = await ann.graph('one')
    const answer = await upload(ann, graph, octets)
    assert.strictEqual(answer.status, 200, String(answer.body.error))
    const { body } = await ann.http('GET', `/sync/${graph}/pull`)
    assert.strictEqual(body.t, 0)
    assert.strictEqual(body.checksum, '45d0b177a7b46ad3')
    const there = snapshot.open(octets)
    const back = snapshot.open((await ann.download(graph)).body)
    assert.deepStrictEqual(back.eavt.map(String), there.eavt.map(String))
    assert.deepStrictEqual(back.aevt.map(String), there.aevt.map(String))
    // Maps, and values of several types, have no order of their own.
    const loose = new Set(there.avet.filter(([, , v]) => typeof v === 'object' ||
      typeof v === 'boolean').map(([, a]) => String(a)))
    const firm = (x) => !loose.has(String(x[1]))
    assert.deepStrictEqual(back.avet.filter(firm).map(String),
      there.avet.filter(firm).map(String))
    assert.deepStrictEqual(back.avet.map(String).sort(),
      there.avet.map(String).sort())
    assert.ok(there.avet.filter(firm).length > 800)
    // Every row is reachable, and npm datascript takes it for a graph.
    assert.ok(back.all.size < there.all.size)
    const db = d.db_with(d.empty_db(), back.eavt.map(([e, a, v]) =>
      [':db/add', e, `${a} ${snapshot.text(v)}`, true]))
    assert.strictEqual(d.datoms(db, ':eavt').length, there.eavt.length)
  })

serve('what was edited is in the next download, what was deleted is not',
  { skip }, async (relay, ann) => {
    const graph = await ann.graph('one')
    const [a, b] = [crypto.randomUUID(), crypto.randomUUID()]
    await upload(ann, graph, fs.readFileSync(base))
    const before = state((await ann.download(graph)).body)
    assert.strictEqual((await ann.batch(graph, 0, page(a, 'stays'),
      page(b, 'a secret'))).t, 2)
    assert.strictEqual((await ann.batch(graph, 2,
      [['~:db/retractEntity', at(b)]])).t, 3)
    const { body } = await ann.download(graph)
    const after = state(body)
    assert.strictEqual(after.length, before.length + 3)
    assert.ok(after.some((s) => s.includes('stays')))
    assert.ok(!body.includes('a secret'))
  })

serve('a graph written beside its download is whole at one t', {},
  async (relay, ann) => {
    const graph = await ann.graph('one')
    const ids = Array.from({ length: 2000 }, () => crypto.randomUUID())
    const text = 'x'.repeat(2000) // more than sockets hold
    let t = 0
    for (let i = 0; i < ids.length; i += 200) {
      t = (await ann.batch(graph, t, ids.slice(i, i + 200).flatMap((u) =>
        page(u, `${u} ${text}`)))).t
    }
    const { body } = await ann.http('GET', `/sync/${graph}/snapshot/download`)
    const octets = await new Promise((resolve, reject) => http.get(body.url,
      { headers: { authorization: `Bearer ${ann.token}` } }, async (answer) => {
        const pieces = []
        let got = 0
        try {
          for await (const piece of answer) {
            pieces.push(piece)
            got += piece.length
            // Only while most of it is still with the server.
            if (pieces.length % 4 === 0 && got < 4 << 20) {
              const u = ids[(pieces.length * 7919) % ids.length]
              const m = await ann.batch(graph, t, pieces.length % 12 === 0
                ? [['~:db/retractEntity', at(u)]]
                : page(u, `again ${pieces.length}`))
              t = m.t
            }
          }
          resolve(Buffer.concat(pieces))
        } catch (e) { reject(e) }
      }))
    assert.ok(octets.length > 20 << 20)
    assert.ok(snapshot.open(octets).tail.length > 10)
    assert.deepStrictEqual(state(octets),
      state((await ann.download(graph)).body))
  })

serve('a transaction larger than a record comes back as it was', {},
  async (relay, ann) => {
    const graph = await ann.graph('one')
    const large = JSON.stringify(Array.from({ length: 900 }, (_, i) =>
      page(crypto.randomUUID(), `"${i} \u00e9\n${'x'.repeat(200)}`)).flat())
    const small = JSON.stringify(page(crypto.randomUUID(), 'small'))
    assert.ok(large.length > 300000)
    assert.strictEqual((await ann.batch(graph, 0, small, large, small.replace(
      'small', 'smaller'))).t, 3)
    const socket = await ann.socket(graph)
    const pulled = []
    while (pulled.length < 3) {
      const m = await socket.ask({ type: 'pull', since: pulled.length },
        'pull/ok')
      assert.ok(m.txs.length > 0 && m.t === m.txs.at(-1).t)
      pulled.push(...m.txs)
    }
    for (const txs of [pulled, (await ann.http('GET',
      `/sync/${graph}/pull?since=0`)).body.txs]) {
      assert.deepStrictEqual(txs.map((x) => x.t), [1, 2, 3])
      assert.ok(txs[1].tx === large)
      assert.strictEqual(txs[0].tx, small)
    }
    socket.close()
  })

serve('an upload that breaks off leaves the graph as it was', { skip },
  async (relay, ann) => {
    const graph = await ann.graph('one')
    const octets = fs.readFileSync(base)
    await upload(ann, graph, octets)
    const before = state((await ann.download(graph)).body)
    const post = (query, body) => ann.http('POST',
      `/sync/${graph}/snapshot/upload?${query}`, body)
    assert.strictEqual((await post('reset=true&finished=false',
      octets)).status, 200)
    assert.strictEqual((await post('reset=true&finished=true',
      octets.subarray(0, 1000))).status, 400)
    assert.deepStrictEqual(state((await ann.download(graph)).body), before)
    assert.strictEqual((await ann.http('GET', `/sync/${graph}/pull`)).status,
      200)
  })

serve('a full graph is read and emptied, but not written',
  { settings: ['store_bytes_max 200K'] }, async (relay, ann) => {
    const graph = await ann.graph('one')
    const write = (t) => ann.http('POST', `/sync/${graph}/tx/batch`, {
      't-before': t, txs: [{ tx: JSON.stringify(page(crypto.randomUUID(),
        'x'.repeat(5000))) }] })
    let t = 0
    for (let m; (m = await write(t)).body.type === 'tx/batch/ok';) t = m.body.t
    assert.ok(t > 3 && t < 40, `${t}`)
    assert.strictEqual((await ann.http('GET', `/sync/${graph}/pull`)).body.t, t)
    assert.strictEqual(state((await ann.download(graph)).body).length, 3 * t)
    assert.strictEqual((await ann.http('DELETE',
      `/sync/${graph}/admin/reset`)).status, 200)
    // what it held is freed behind the answer
    for (let n = 0; (await write(0)).body.type !== 'tx/batch/ok'; n++) {
      assert.ok(n < 3000)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  })

serve('assets come back with their graph from a backup, and count', {
  settings: ['store_bytes_max 1M']
}, async (relay, ann) => {
  const graph = await ann.graph('one')
  const where = `/assets/${graph}/${crypto.randomUUID()}.bin`
  const asset = crypto.randomBytes(300000)
  const uuid = crypto.randomUUID()
  assert.strictEqual((await ann.batch(graph, 0, page(uuid, 'there'))).t, 1)
  assert.strictEqual((await ann.http('PUT', where, asset)).status, 200)
  const before = state((await ann.download(graph)).body)
  relay.ctl('backup', path.join(relay.dir, 'backup'))

  const more = await ann.http('PUT', `${where}.bin`, crypto.randomBytes(900000))
  assert.strictEqual(more.status, 507)
  assert.strictEqual((await ann.http('DELETE', where)).status, 200)
  assert.strictEqual((await ann.batch(graph, 1,
    [['~:db/retractEntity', at(uuid)]])).t, 2)
  relay.ctl('restore', path.join(relay.dir, 'backup'), `logseq:${graph}`)
  const back = await ann.http('GET', where)
  assert.ok(back.status === 200 && asset.equals(back.body))
  assert.deepStrictEqual(state((await ann.download(graph)).body), before)
})

// One of two who write all the time, so many pages at once, resend what was not
// answered, and know only what they pulled.
class Replica {
  constructor (user, graph, size) {
    Object.assign(this, { user, graph, size, t: 0, txs: [], acked: [] })
  }

  async connect () {
    while (!this.socket || this.socket.closed) {
      try {
        this.socket = await this.user.socket(this.graph)
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    }
  }

  async pull () {
    const m = await this.socket.ask({ type: 'pull', since: this.t }, 'pull/ok')
    for (const { t, tx } of m.txs) {
      if (t <= this.t) continue
      assert.strictEqual(t, this.t + 1)
      this.txs.push(tx)
      this.t = t
    }
    return m
  }

  // At least n, and for as long as more says so.
  async write (n, more) {
    for (let i = 0; i < n || more(); i++) {
      const uuid = crypto.randomUUID()
      const rest = Array.from({ length: this.size - 1 }, () =>
        page(crypto.randomUUID(), `${i}`))
      const entry = { tx: JSON.stringify([page(uuid, `${i}`), ...rest].flat()),
        'tx-id': crypto.randomUUID() }
      for (let done = false; !done;) {
        try {
          await this.connect()
          const m = await this.socket.ask({ type: 'tx/batch',
            't-before': this.t, txs: [entry] }, 'tx/batch/ok', 'tx/reject')
          done = m.type === 'tx/batch/ok'
          if (done) this.acked.push(uuid)
          else assert.strictEqual(m.reason, 'stale')
          await this.pull()
        } catch (e) {
          if (e.message !== 'closed') throw e
        }
      }
    }
  }
}

const converge = (size, writes) => async (relay, ann) => {
  const graph = await ann.graph('one')
  const both = [new Replica(ann, graph, size), new Replica(ann, graph, size)]
  let writing = true
  let kills = 0
  const killer = (async () => {
    while (writing) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      await relay.killBroker()
      kills++
      await relay.startBroker()
    }
  })()
  await Promise.all(both.map((r) =>
    r.write(writes, () => kills < 5)))
  writing = false
  await killer
  for (const r of both) {
    await r.connect()
    let m
    do m = await r.pull(); while (m.txs.length > 0)
  }
  assert.strictEqual(both[0].t, both[1].t)
  assert.deepStrictEqual(both[0].txs, both[1].txs)
  const datoms = state((await ann.download(graph)).body)
  assert.strictEqual(datoms.length, 3 * size * both[0].txs.length)
  const all = datoms.join('\n')
  for (const uuid of both.flatMap((r) => r.acked)) {
    assert.strictEqual(both[0].txs.filter((tx) => tx.includes(uuid)).length,
      1)
    assert.ok(all.includes(`:block/uuid "~u${uuid}"`))
  }
  for (const r of both) r.socket.close()
}

serve('two replicas converge through kill -9, and lose nothing acknowledged',
  {}, converge(1, 100))

// 2,400 datoms a batch are decided in parts.
serve('so they do with batches that a kill finds half done', {},
  converge(800, 4))
