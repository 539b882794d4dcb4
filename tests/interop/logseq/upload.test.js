'use strict'
// The whole server: uploads, what real clients sent, downloads read by
// transit-js, and what an upload that breaks off leaves behind.

const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const http = require('node:http')
const path = require('node:path')
const zlib = require('node:zlib')
const { execFileSync } = require('node:child_process')
const { after, before, test } = require('node:test')
const { Relay } = require('../relay.js')
const { User } = require('./client.js')
const snapshot = require('./snapshot.js')

const vectors = process.env.QUIRE_SHARED &&
  path.join(process.env.QUIRE_SHARED, 'protocols/vectors/logseq')
const skip = !vectors || !fs.existsSync(vectors)
const BASE_SUM = '45d0b177a7b46ad3'
const BASE_ROWS = 422

let relay, token, graph

const call = async (method, where, body, headers = {}) => {
  const answer = await fetch(`http://127.0.0.1:${relay.port}${where}`,
    { method, body, headers: { authorization: `Bearer ${token}`, ...headers } })
  const octets = Buffer.from(await answer.arrayBuffer())
  return { status: answer.status, headers: answer.headers, octets,
    json: octets[0] === 0x7b ? JSON.parse(octets) : undefined }
}

const upload = (query, body, headers) =>
  call('POST', `/sync/${graph}/snapshot/upload?${query}`, body, headers)
const pull = async () => (await call('GET', `/sync/${graph}/pull`)).json
const stream = async (headers) =>
  (await call('GET', `/sync/${graph}/snapshot/stream`, undefined, headers))
const base = () => fs.readFileSync(path.join(vectors, 'base-snapshot.framed'))

const frame = (rows) => {
  const payload = Buffer.from(JSON.stringify(rows))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(payload.length)
  return Buffer.concat([head, payload])
}

const sorted = (datoms) => datoms.map(([e, a, v, tx]) =>
  [e, String(a), snapshot.text(v), tx].join(' ')).sort()

before(async () => {
  relay = await Relay.start()
  token = relay.token({ email: 'ann@b.example' })
  const made = await call('POST', '/graphs', JSON.stringify(
    { 'graph-name': 'recorded', 'graph-e2ee?': false }))
  graph = made.json['graph-id']
})

after(() => relay.stop())

test('an upload in three requests, compressed, is there as a whole', { skip },
  async () => {
    const rows = JSON.parse(base().subarray(4))
    const part = (from, to, query) => upload(query,
      zlib.gzipSync(Buffer.concat([frame(rows.slice(from, from + 100)),
        frame(rows.slice(from + 100, to))])), { 'content-encoding': 'gzip' })

    for (const [from, to, query] of [[0, 150, 'reset=true&finished=false'],
      [150, 300, 'reset=false&finished=false'],
      [300, BASE_ROWS, `reset=false&finished=true&checksum=${BASE_SUM}`]]) {
      const { status, json } = await part(from, to, query)
      assert.strictEqual(status, 200)
      assert.strictEqual(json.count, to - from)
    }
    const { t, checksum } = await pull()
    assert.deepStrictEqual([t, checksum], [0, BASE_SUM])
    const { status, octets, headers } = await stream({
      'accept-encoding': 'identity' })
    assert.strictEqual(status, 200)
    const was = snapshot.open(base())
    const is = snapshot.open(octets)
    assert.strictEqual(Number(headers.get('x-snapshot-row-count')),
      is.all.size)
    for (const index of ['eavt', 'aevt']) {
      assert.deepStrictEqual(is[index].map(String), was[index].map(String))
    }
    assert.deepStrictEqual(sorted(is.avet), sorted(was.avet))
  })

test('requests that do not say which is the last end when none is missing',
  { skip }, async () => {
    const made = await call('POST', '/graphs', JSON.stringify(
      { 'graph-name': 'of the seed', 'graph-e2ee?': false }))
    const where = `/sync/${made.json['graph-id']}`
    const send = (query, rows) => call('POST',
      `${where}/snapshot/upload?${query}`, frame(rows))
    const rows = JSON.parse(base().subarray(4))
    const ready = []

    for (let at = 0; at < rows.length; at += 50) {
      const part = rows.slice(at, at + 50)
      const { status, json } = await send(`reset=${at === 0}`, part)
      assert.deepStrictEqual([status, json.count], [200, part.length])
      ready.push((await call('GET', `${where}/pull`)).status)
    }
    assert.strictEqual(ready[0], 409)
    const { t, checksum } = (await call('GET', `${where}/pull`)).json
    assert.deepStrictEqual([t, checksum], [0, BASE_SUM])
    // What is whole has no room for another root.
    for (const [query, more] of [['reset=false', rows.slice(0, 2)],
      ['reset=false&finished=true', rows.slice(2)]]) {
      const { status, json } = await send(query, more)
      assert.deepStrictEqual([status, json.error],
        [400, 'no snapshot upload in progress'])
    }
    assert.strictEqual((await call('GET', `${where}/pull`)).json.checksum,
      BASE_SUM)
  })

test('what real clients sent is answered as the original did', { skip },
  async () => {
    const asked = new Map()
    const said = execFileSync('xz',
      ['-dc', path.join(vectors, 'real-clients.jsonl.xz')],
      { encoding: 'utf8', maxBuffer: 1 << 28 }).trim().split('\n')
      .map(JSON.parse).filter(({ kind }) => kind === 'ws')
      .map(l => ({ ...l, m: JSON.parse(l.text) }))
    // Within one millisecond the refusal was recorded before its reason.
    said.sort((a, b) => a.ms - b.ms ||
      (a.m.reason === 'stale') - (b.m.reason === 'stale'))
    let batches = 0

    for (const { id, dir, m } of said) {
      if (dir === 'C>S' && m.type === 'tx/batch') asked.set(id, m)
      if (dir !== 'S>C' || !/^tx\/(batch\/ok|reject)$/.test(m.type)) continue
      const { status, json } = await call('POST', `/sync/${graph}/tx/batch`,
        JSON.stringify(asked.get(id)))
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(json, m)
      batches++
    }
    assert.strictEqual(batches, 28)
  })

test('a download is the graph, and uploaded again has its checksum', { skip },
  async () => {
    const { t, checksum } = await pull()
    const plain = (await stream({ 'accept-encoding': 'identity' })).octets
    const packed = await stream({ 'accept-encoding': 'gzip' })
    const is = snapshot.open(plain)

    assert.strictEqual(t, 34)
    assert.strictEqual(packed.headers.get('content-encoding'), 'gzip')
    assert.ok(packed.octets.equals(plain)) // unpacked by fetch
    assert.deepStrictEqual(sorted(is.eavt), sorted(is.aevt))
    assert.strictEqual((await upload('', plain)).status, 200)
    const again = await pull()
    assert.deepStrictEqual([again.t, again.checksum], [0, checksum])
    const { octets } = await stream({ 'accept-encoding': 'identity' })
    assert.deepStrictEqual(sorted(snapshot.open(octets).eavt),
      sorted(is.eavt))
  })

test('an upload that is broken or breaks off leaves the graph alone', { skip },
  async () => {
    const was = (await stream({ 'accept-encoding': 'identity' })).octets
    const cut = zlib.gzipSync(base()).subarray(0, 20000)
    const huge = Buffer.from('ffffffff5b5b', 'hex')

    for (const body of [base().subarray(0, 100000), cut, huge,
      Buffer.from('0000'), frame({}), frame([[0, 1, null]]),
      frame([['0', '[]', null]]), frame([[0, '{}', null]]),
      frame([[0, '["^ ","~:eavt",5]', null]]), frame([[2, '[]', null]])]) {
      const { status, json } = await upload('finished=true', body)
      assert.strictEqual(status, 400)
      assert.strictEqual(json.error, 'invalid snapshot')
    }
    const { status } = await upload('finished=false', base())
    assert.strictEqual(status, 200)
    await relay.killBroker()
    await relay.startBroker()
    const is = (await stream({ 'accept-encoding': 'identity' })).octets
    assert.deepStrictEqual(sorted(snapshot.open(is).eavt),
      sorted(snapshot.open(was).eavt))
  })

test('a row of the log too large for one message is pulled whole', async () => {
  const user = new User(relay, 'ann')
  const g = await user.graph('large')
  const add = (n) => {
    const id = crypto.randomUUID()
    return [['~:db/add', id, '~:block/uuid', `~u${id}`],
      ['~:db/add', id, '~:block/title', `${n}`.padEnd(60000, 'é')]]
  }
  const txs = [[0], [1, 2, 3, 4, 5, 6, 7, 8], [9], [1, 2, 3, 4, 5, 6, 7]]
    .map(blocks => JSON.stringify(blocks.flatMap(add)))

  for (const [i, tx] of txs.entries()) {
    assert.strictEqual((await user.batch(g, i, tx)).t, i + 1)
  }
  const whole = (await user.http('GET', `/sync/${g}/pull`)).body
  assert.deepStrictEqual(whole.txs.map(({ tx }) => tx), txs)
  assert.strictEqual(whole.t, 4)

  const socket = await user.socket(g)
  const rows = []
  while (rows.length < 4) {
    const m = await socket.ask({ type: 'pull', since: rows.length }, 'pull/ok')
    rows.push(...m.txs)
    assert.strictEqual(m.t, rows.length)
    if (m.t < 4) assert.strictEqual((await socket.next('changed')).t, 4)
  }
  assert.deepStrictEqual(rows, whole.txs)
  socket.close()
})

test('an upload that another one replaces midway ends with 409',
  { timeout: 20000 }, async () => {
    const made = await call('POST', '/graphs', JSON.stringify(
      { 'graph-name': 'contested', 'graph-e2ee?': false }))
    const where = `/sync/${made.json['graph-id']}`
    const begin = `${where}/snapshot/upload?reset=true&finished=false`
    const rows = frame([[9, '["^ "]', null]])
    const slow = http.request({ port: relay.port, method: 'POST', path: begin,
      headers: { authorization: `Bearer ${token}` } })
    const answered = new Promise((resolve, reject) => slow
      .on('response', resolve).on('error', reject))
    slow.write(rows)
    const writes = async () => (await call('POST', `${where}/tx/batch`,
      JSON.stringify({ 't-before': 0, txs: [{ tx: '[]' }] })))
    // It has begun when nobody may write any more.
    while ((await writes()).status === 200) continue
    assert.strictEqual((await call('POST', begin, rows)).status, 200)
    slow.end(rows)
    assert.strictEqual((await answered).statusCode, 409)
  })

test('the limit is that of an upload, not of a request', async () => {
  const small = await Relay.start(['logseq_snapshot_max 1M'])
  const ann = new User(small, 'ann')
  const id = await ann.graph('small')
  const title = 'x'.repeat(7000)
  const rows = (from) => frame(Array.from({ length: 100 }, (_, i) =>
    [1000000 + from + i, JSON.stringify(['^ ', '~:keys',
      [[1, '~:block/title', title, 536870913]]]), null]))
  const send = (query, body) => ann.http('POST',
    `/sync/${id}/snapshot/upload?${query}`, body)
  const made = await ann.batch(id, 0, [['~:db/add', 'a', '~:block/uuid',
    '~u00000000-0000-4000-8000-000000000001']])
  assert.strictEqual(made.t, 1)

  assert.strictEqual((await send('finished=false', rows(0))).status, 200)
  const second = await send('reset=false&finished=false', rows(100))
  assert.strictEqual(second.status, 413)
  assert.deepStrictEqual(second.body, { error: 'too large' })
  const third = await send('reset=false&finished=true', rows(200))
  assert.strictEqual(third.status, 413)
  // What was there is there, and another upload begins at nothing.
  const { body } = await ann.http('GET', `/sync/${id}/pull`)
  assert.strictEqual(body.t, 1)
  assert.strictEqual((await send('finished=false', rows(0))).status, 200)
  await small.stop()
})

test('a tree whose branches lead to the same rows again is none', async () => {
  const rows = [[0, '["^ ","~:schema",["^ "],"~:eavt",2]', null],
    [7, '["^ ","~:keys",[]]', null]]
  for (let addr = 2; addr < 7; addr++) {
    rows.push([addr, '["^ "]', JSON.stringify(Array(200).fill(addr + 1))])
  }
  const { status, json } = await upload('reset=true&finished=true', frame(rows))
  assert.strictEqual(status, 400)
  assert.strictEqual(json.error, 'invalid snapshot')
})
