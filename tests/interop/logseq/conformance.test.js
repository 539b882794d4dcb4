'use strict'
// What the original server was asked and answered, file by file: ours answers
// the same, or better where a file says that the original failed.

const assert = require('node:assert')
const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const net = require('node:net')
const { after, before, test } = require('node:test')
const zlib = require('node:zlib')
const { WebSocket } = require('ws')
const { Relay } = require('../relay.js')
const { User } = require('./client.js')

const vectors = process.env.QUIRE_SHARED &&
  path.join(process.env.QUIRE_SHARED, 'protocols/vectors/logseq')
const there = Boolean(vectors) && fs.existsSync(vectors)

// What seven recordings lack is made again from their names, in lacking below:
//   007, 009, 011  the tokens: the player notes requests without their heads
//   029            the body, which is the base graph cut off (its digest says)
//   053            the upgrades: only that the sockets ended
//   071            the bodies, which are one octet repeated (likewise)
//   077            what is no HTTP: only the request behind it, if ours lives
// Theirs were signed by RS256, ours are by HS256: tests/unit/test_oidc.c and
// tests/wire/logseq_oidc.wire have the other kind.

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

const base = () => fs.readFileSync(path.join(vectors, 'base-snapshot.framed'))
const digest = (b) => crypto.createHash('sha256').update(b).digest('hex')
const frame = (text) => {
  const octets = Buffer.from(text)
  const head = Buffer.alloc(4)
  head.writeUInt32BE(octets.length)
  return Buffer.concat([head, octets])
}

// The upload of the base graph, in as many requests as it came in.
const snapshot = (e) => {
  const count = JSON.parse(e.responseBody).count
  const all = JSON.parse(base().subarray(4))
  const half = e.path.includes('reset=false')
    ? all.slice(all.length - count)
    : all.slice(0, count)
  const body = frame(JSON.stringify(half))
  return e.requestHeaders['content-encoding'] ? zlib.gzipSync(body) : body
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
    base())
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
// What answers a frame was caused by that.
const causes = (traffic) => {
  const caused = (e) => e.dir === 'S>C' &&
    !/"type":"(hello|pong|pull\/ok|tx\/)/.test(e.text)
  const list = []
  for (const [i, e] of traffic.entries()) {
    let at = list.length
    if (e.kind === 'http') {
      while (at > 0 && caused(list[at - 1][1])) at--
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

const b64 = (x) => Buffer.from(x).toString('base64url')
const token = (secret, claims, head = { alg: 'HS256', kid: 'here' }) => {
  const text = `${b64(JSON.stringify(head))}.${b64(JSON.stringify(claims))}`
  return `${text}.${crypto.createHmac('sha256', secret).update(text)
    .digest('base64url')}`
}

// A relay that is as strict as the original was, and each token's status there.
const strict = async (traffic, ask) => {
  const secret = crypto.randomBytes(32)
  const own = await Relay.start(['issuer us', 'exp_required yes'],
    `here HS256 ${b64(secret)}\n`)
  const claims = { sub: crypto.randomUUID(), aud: '*', scope: 'write',
    iss: 'us', exp: Math.floor(Date.now() / 1000) + 100 }
  const status = async (bearer) => (await fetch(
    `http://127.0.0.1:${own.port}${traffic[0].path}`,
    { headers: { authorization: `Bearer ${bearer}` } })).status
  assert.strictEqual(await status(token(secret, claims)), 200, 'a good one')
  try {
    await ask(secret, claims, status)
  } finally {
    await own.stop()
  }
}

// Octets that are no HTTP, and what comes back until TCP ends.
const raw = (octets, half) => new Promise((resolve) => {
  const socket = net.connect(relay.port, '127.0.0.1', () => socket.write(octets))
  const back = []
  socket.on('data', (b) => back.push(b))
  socket.on('error', () => {})
  socket.on('close', () => resolve(Buffer.concat(back).toString('latin1')))
  if (half) setTimeout(() => socket.destroy(), 100)
})

const lacking = {
  '007': (traffic) => strict(traffic, async (secret, claims, status) => {
    const bad = [
      token(secret, { ...claims, iss: 'them' }),
      token(secret, { ...claims, aud: [] }),
      token(secret, { ...claims, exp: claims.exp - 200 }),
      token(secret, claims, { alg: 'HS256', kid: 'nobody' }),
      token(crypto.randomBytes(32), claims),
      token(secret, { ...claims, sub: undefined })]
    assert.strictEqual(bad.length, traffic.length)
    for (const [i, b] of bad.entries()) {
      assert.strictEqual(await status(b), traffic[i].status, `token ${i}`)
    }
  }),
  '009': (traffic) => strict(traffic, async (secret, claims, status) => {
    const good = token(secret, claims)
    const [head, body, mac] = good.split('.')
    for (const b of ['', 'x', '..', '...', `${head}.${body}`, `${good}.`,
      `${good}=`, `!.${body}.${mac}`, `${head}.!.${mac}`, `${head}.${body}.!`,
      `${b64('{')}.${body}.${mac}`, `${head}.${b64('{')}.${mac}`,
      `${b64('{"alg":"none"}')}.${body}.`, good.slice(0, -3)]) {
      assert.strictEqual(await status(b), 401, b)
    }
  }),
  '011': (traffic) => strict(traffic, async (secret, claims, status) => {
    assert.strictEqual(await status(token(secret,
      { ...claims, exp: undefined })), 401)
  }),
  '029': async (traffic) => {
    await replay(traffic.slice(0, 1), {})
    const sent = traffic[1]
    const cut = base().subarray(0, sent.requestBody.length)
    assert.strictEqual(digest(cut), sent.requestBody.sha256)
    const huge = Buffer.from(base())
    huge.writeUInt32BE(0x7fffffff)
    for (const [body, head] of [[cut, {}],
      [base().subarray(0, 3), {}],
      [frame('[[0,'), {}], [frame('[[0,7,null]]'), {}],
      [frame('[{}]'), {}], [huge, {}],
      [Buffer.from('1f8b0800ffffffff', 'hex'),
        { 'content-encoding': 'gzip' }]]) {
      const answer = await user('alice').http('POST', renamed(sent.path), body,
        { ...sent.requestHeaders, ...head })
      assert.strictEqual(answer.status, 400, String(body.subarray(0, 20)))
    }
  },
  '053': async (traffic) => {
    const graph = await user('alice').graph(crypto.randomUUID())
    const upgrade = (query) => new Promise((resolve) => {
      const ws = new WebSocket(
        `ws://127.0.0.1:${relay.port}/sync/${graph}${query}`)
      ws.on('unexpected-response', (_, answer) => resolve(answer.statusCode))
      ws.on('open', () => resolve(101))
      ws.on('error', () => {})
    })
    // Theirs ended without a word; ours says why.
    assert.deepStrictEqual(traffic.map((e) => e.code), [1006, 1006])
    assert.strictEqual(await upgrade(''), 401)
    assert.strictEqual(await upgrade(`?token=${user('mallory').token}`), 403)
  },
  '071': async (traffic) => {
    const bodies = new Map()
    for (const e of traffic) {
      if (e.requestBody === undefined) continue
      const body = Buffer.alloc(e.requestBody.length, 7)
      assert.strictEqual(digest(body), e.requestBody.sha256)
      bodies.set(e, body)
    }
    for (const e of traffic) {
      await known(e)
      const answer = await user(e.user).http(e.method, renamed(e.path),
        bodies.get(e))
      assert.strictEqual(answer.status, e.status, e.method)
      if (e.method === 'GET') {
        assert.strictEqual(digest(answer.body), digest(bodies.get(traffic[0])))
      }
    }
  },
  '077': async (traffic) => {
    assert.match(await raw('no request at all\r\n\r\n'), /^HTTP\/1\.1 400 /)
    assert.match(await raw(`GET /health HTTP/1.1\r\nHost: x\r\n` +
      `X: ${'y'.repeat(1 << 20)}\r\n\r\n`), /^(HTTP\/1\.1 4\d\d |$)/)
    await raw('GET /health HTTP/1.1\r\nHo', true)
    await replay(traffic, {})
  }
}

if (!there) test('recorded conformance', { skip: true }, () => {})
for (const name of there
  ? fs.readdirSync(path.join(vectors, 'conformance')).sort()
  : []) {
  const number = name.slice(0, 3)
  const file = JSON.parse(fs.readFileSync(
    path.join(vectors, 'conformance', name)))
  // A failure of the original that is not listed is one of what it holds.
  test(`${number} ${file.name}`, { timeout: 60000 }, () =>
    number === '041' ? race(file.traffic)
      : lacking[number] ? lacking[number](file.traffic)
        : replay(file.traffic, better[number] ?? {}))
}
