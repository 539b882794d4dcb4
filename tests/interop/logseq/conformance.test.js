'use strict'
// What the original server was asked and answered, file by file: ours answers
// the same, or better where a file says that the original failed.

const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const { after, before, test } = require('node:test')
const zlib = require('node:zlib')
const { Relay } = require('../relay.js')
const { User } = require('./client.js')

const vectors = process.env.QUIRE_SHARED &&
  path.join(process.env.QUIRE_SHARED, 'protocols/vectors/logseq')
const there = Boolean(vectors) && fs.existsSync(vectors)

// Asked by others, as the recordings lack what was sent: tests/wire has these.
const elsewhere = {
  '007': 'tokens', '009': 'tokens', '011': 'tokens',
  '029': 'broken uploads', '053': 'refused upgrades',
  '071': 'an asset of 100 MiB', '077': 'no HTTP at all'
}

// Where the original failed: the status, or the reason, that it should be; in
// frames the members, lists of that length.
const better = {
  '015': { 0: { status: 400 } },
  '019': { 3: { status: 403, body: { error: 'forbidden' } } },
  '031': { 1: { status: 400, body: { error: 'missing body' } } },
  '049': { 3: { body: { type: 'tx/reject', reason: 'db transact failed',
    t: 3 } } },
  '059': { 8: { 'online-users': [1] }, 9: { 'online-users': [1] } },
  '073': { 4: { status: 403 } },
  '075': { 2: { status: 400 } }
}

// What says nothing about the answer, or names the original's own places.
const own = new Set(['error-detail', 'debug-stack', 'debug-message', 'key',
  'url', 'failed-tx-id', 'graph-id', 'created-at', 'updated-at'])

let relay
const users = new Map()
const graphs = new Map() // the recording's to ours

before(async () => { if (there) relay = await Relay.start() })
after(async () => { if (there) await relay.stop() })

const user = (name) => {
  if (!users.has(name)) {
    users.set(name, new User(relay, name, 'example.com'))
  }
  return users.get(name)
}

// Scalars and lengths; what theirs has ours must have.
const same = (ours, theirs, what) => {
  for (const [k, v] of Object.entries(theirs)) {
    if (own.has(k)) {
      continue
    } else if (Array.isArray(v)) {
      assert.strictEqual(ours[k]?.length, v.length, `${what}: ${k}`)
    } else if (v === null || typeof v !== 'object') {
      assert.strictEqual(ours[k], v,
        `${what}: ${k} in ${JSON.stringify(ours).slice(0, 400)}`)
    }
  }
}

const renamed = (text) => {
  for (const [theirs, ours] of graphs) text = text.replaceAll(theirs, ours)
  return text.replace(/^http:\/\/127.0.0.1:\d+/, '')
}

// The upload of the base graph, in as many requests as it came in.
const snapshot = (e) => {
  const octets = fs.readFileSync(path.join(vectors, 'base-snapshot.framed'))
  const count = JSON.parse(e.responseBody).count
  const all = JSON.parse(octets.subarray(4))
  const half = e.path.includes('reset=false')
    ? all.slice(all.length - count)
    : all.slice(0, count)
  const text = Buffer.from(JSON.stringify(half))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(text.length)
  const frame = Buffer.concat([head, text])
  return e.requestHeaders['content-encoding'] ? zlib.gzipSync(frame) : frame
}

// Files that begin in the middle use a graph of an earlier one.
const known = async (e) => {
  const id = /\/(?:sync|graphs|assets|ync|e2ee\/graphs)\/([0-9a-f-]{36})/
    .exec(`/${e.path.replace(/^\//, '')}`)?.[1]
  if (!id || graphs.has(id)) return
  const ours = await user('alice').graph(crypto.randomUUID())
  graphs.set(id, ours)
  const answer = await user('alice').http('POST',
    `/sync/${ours}/snapshot/upload?checksum=45d0b177a7b46ad3`,
    fs.readFileSync(path.join(vectors, 'base-snapshot.framed')))
  assert.strictEqual(answer.status, 200)
}

const exchange = async (e, what, expected = {}) => {
  const headers = Object.fromEntries(Object.entries(e.requestHeaders)
    .filter(([, v]) => v !== ''))
  let body = e.requestBody
  if (e.user === 'raw-token') headers.authorization = ''
  if (body !== undefined && typeof body !== 'string') body = snapshot(e)
  else if (body !== undefined) body = Buffer.from(renamed(body))
  await known(e)
  const answer = await user(e.user).http(e.method,
    renamed(e.path), body, headers)
  assert.strictEqual(answer.status, expected.status ?? e.status, what)
  if (expected.body) return same(answer.body, expected.body, what)
  if (expected.status || typeof e.responseBody !== 'string') return
  if (Buffer.isBuffer(answer.body)) {
    assert.strictEqual(answer.body.toString(), e.responseBody, what)
    return
  }
  const theirs = JSON.parse(e.responseBody)
  if (e.method === 'POST' && e.path === '/graphs' && answer.status === 200) {
    graphs.set(theirs['graph-id'], answer.body['graph-id'])
  }
  // All that the original had from earlier runs is in its lists.
  if (theirs.graphs?.length > 0) delete theirs.graphs
  same(answer.body, theirs, what)
}

// A request stands behind the frames that it caused: it was noted when answered.
const causes = (traffic) => {
  const list = []
  for (const [i, e] of traffic.entries()) {
    let at = list.length
    if (e.kind === 'http') {
      while (at > 0 && list[at - 1][1].dir === 'S>C') at--
    }
    list.splice(at, 0, [i, e])
  }
  return list
}

// One after the other in the recording, all at once in truth.
const race = async (traffic) => {
  const writes = traffic.filter(e => e.path.endsWith('/tx/batch'))
  await replay(traffic.slice(0, -writes.length), {})
  const answers = await Promise.all(writes.map(e => user(e.user).http(e.method,
    renamed(e.path), Buffer.from(e.requestBody))))
  const kinds = list => list.map(({ type, reason, t }) =>
    `${type} ${reason} ${t}`).sort()
  assert.deepStrictEqual(kinds(answers.map(a => a.body)),
    kinds(writes.map(e => JSON.parse(e.responseBody))))
}

const replay = async (traffic, expected) => {
  const sockets = new Map()
  for (const [i, e] of causes(traffic)) {
    const what = `${i} ${e.method ?? e.kind} ${e.path ?? ''} ` +
      String(e.text ?? '').slice(0, 200)
    if (e.kind === 'http') {
      await exchange(e, what, expected[i])
    } else if (e.kind === 'ws-open') {
      await known(e)
      sockets.set(e.ws, await user(e.user).socket(
        renamed(e.path).split('/')[1].split('?')[0]))
    } else if (e.kind === 'ws' && e.dir === 'C>S') {
      sockets.get(e.ws).ws.send(renamed(e.text))
    } else if (e.kind === 'ws') {
      const theirs = JSON.parse(e.text)
      if (theirs.type === 'error') delete theirs.message
      let ours
      // ours also tells a writer whose batch failed half way
      do ours = await sockets.get(e.ws).next(theirs.type)
      while (ours.type === 'changed' && ours.t < theirs.t)
      same(ours, { ...theirs, ...expected[i] }, what)
    } else if (e.kind === 'ws-close') {
      sockets.get(e.ws).close()
    }
  }
  for (const s of sockets.values()) s.close()
}

if (!there) test('recorded conformance', { skip: true }, () => {})
for (const name of there
  ? fs.readdirSync(path.join(vectors, 'conformance')).sort()
  : []) {
  const number = name.slice(0, 3)
  if (elsewhere[number]) continue
  const file = JSON.parse(fs.readFileSync(
    path.join(vectors, 'conformance', name)))
  // A failure of the original that is not listed is one of what it holds.
  test(`${number} ${file.name}`, { timeout: 20000 }, () =>
    number === '041' ? race(file.traffic)
      : replay(file.traffic, better[number] ?? {}))
}
