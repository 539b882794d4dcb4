'use strict'
// Applications on the relay: what they write arrives, in time, once, and for
// whoever comes later, whatever ends in between.

const assert = require('node:assert')
const { createHash, randomBytes } = require('node:crypto')
const test = require('node:test')
const { CHUNK_BYTES, Engine, Provider, Signaller, types } = require('./client')
const { Raw, frame, jwt, upgrade } = require('./raw')
const { Relay } = require('../relay')

const secret = 'the_secret_of_these_applications_alone'
const token = (aud, scope = 'write') => jwt(secret, { sub: 'u', aud, scope })

let relay
const all = []

test.before(async () => { relay = await Relay.start([], secret) })
test.after(() => relay.stop())
test.afterEach(() => { for (const c of all.splice(0)) c.disconnect() })

const sha = data => createHash('sha256').update(data).digest()

function client (Kind, store, scope = 'write') {
  all.push(new Kind({ url: relay.sds, store,
    token: token(decodeURIComponent(store), scope) }))
  return all.at(-1)
}

async function connected (Kind, store, scope) {
  const c = client(Kind, store, scope)
  await c.connect()
  return c
}

async function until (what, condition, describe = () => '') {
  const late = Date.now() + 20000
  while (!condition()) {
    if (Date.now() > late) throw new Error(`not ${what}: ${describe()}`)
    await new Promise(resolve => setTimeout(resolve, 5))
  }
}

const same = engines => until('the same',
  () => engines.every(e => e.bytes === engines[0].bytes),
  () => engines.map(e => JSON.stringify([e.labels, e.closes])).join('\n'))

test('two that edit, one that comes late, and one alone', async () => {
  const [a, b] = [await connected(Engine, 'notes'),
    await connected(Engine, 'notes')]
  for (let i = 0; i < 100; i++) {
    a.item(`a${i}`, `by a, ${i}`)
    b.item(`b${i}`, `by b, ${i}`)
  }
  await same([a, b])
  const c = await connected(Engine, 'notes', 'read')
  await same([a, b, c])
  assert.strictEqual(Object.keys(c.labels).length, 200)
  for (const e of [a, b, c]) e.disconnect()
  const d = await connected(Engine, 'notes')
  await same([a, d])
})

test('a broker that is killed, again and again, beside edits', async () => {
  const [a, b] = [await connected(Engine, 'killed'),
    await connected(Engine, 'killed')]
  for (let round = 0; round < 3; round++) {
    const seen = []
    for (let i = 0; i < 30; i++) {
      seen.push(`${round}.${i}`)
      a.item(seen.at(-1), 'while it is there')
    }
    await until('seen', () => seen.every(id => id in b.labels))
    a.item(`${round}.dying.a`, 'while it goes')
    await relay.killBroker()
    a.item(`${round}.away.a`, 'while it is not')
    b.item(`${round}.away.b`, 'while it is not')
    await relay.startBroker()
    await same([a, b])
  }
  const c = await connected(Engine, 'killed')
  await same([a, b, c])
  assert.strictEqual(Object.keys(c.labels).length, 3 * 33)
  assert.deepStrictEqual([a.closes, b.closes], [[], []])
})

test('a client that comes while there is no broker waits for it', async () => {
  await relay.killBroker()
  const a = client(Engine, 'early')
  const open = a.connect()
  a.item('one', 'while it is not there')
  await new Promise(resolve => setTimeout(resolve, 500))
  assert.strictEqual(a.state, 'connecting')
  await relay.startBroker()
  await open
  assert.deepStrictEqual(a.closes, [])
  await same([a, await connected(Engine, 'early')])
})

test('where brokers are not waited for, all come again', async () => {
  const stays = relay
  relay = await Relay.start(['broker_wait_ms 0'], secret)
  try {
    const [a, b] = [await connected(Engine, 'again'),
      await connected(Engine, 'again')]
    a.item('one', 'before')
    await same([a, b])
    await relay.killBroker()
    await until('told twice', () => [a, b].every(e => e.closes.length > 1))
    assert.deepStrictEqual(a.closes[1], [1013, 'Try again later'])
    await relay.startBroker()
    const c = await connected(Engine, 'again')
    await until('back', () => {
      c.sendPresence({ PeerId: 'c' })
      return [a, b].every(e => e.peers.has('c'))
    })
    b.item('two', 'after')
    await same([a, b, c])
    for (const c of all.splice(0)) c.disconnect()
  } finally {
    await relay.stop()
    relay = stays
  }
})

test('a broker that does not answer is waited for, and not for ever', async () => {
  const stays = relay
  relay = await Relay.start(['handshake_ms 500ms'], secret)
  const raw = new Raw(relay.port)
  try {
    raw.send('GET /nothing HTTP/1.1\r\nHost: h\r\n\r\n')
    assert.strictEqual((await raw.answer()).status, 404)
    relay.broker.kill('SIGSTOP')
    raw.send(upgrade(`/ws/x?token=${token('x')}`))
    assert.strictEqual((await raw.answer()).status, 101)
    const { opcode, payload } = await raw.frame()
    assert.deepStrictEqual([opcode, payload.readUInt16BE(0)], [8, 1013])
  } finally {
    raw.close()
    relay.broker.kill('SIGCONT')
    await relay.stop()
    relay = stays
  }
})

test('who has his 101 hears all that is said from then on', async () => {
  const a = await connected(Provider, 'prompt')
  for (let i = 0; i < 50; i++) {
    const b = await connected(Provider, 'prompt', 'read')
    a.sendPresence({ PeerId: `${i}` })
    await until('heard', () => b.peers.has(`${i}`))
    b.disconnect()
  }
})

test('eight that come at once after a start are in one room', async () => {
  await relay.killBroker()
  await relay.startBroker()
  const peers = await Promise.all(Array.from({ length: 8 },
    () => connected(Provider, 'split')))
  peers.forEach((c, i) => c.sendPresence({ PeerId: `${i}` }))
  await until('met', () => peers.every(c => c.peers.size === 7),
    () => peers.map(c => [...c.peers.keys()]).join(' | '))
})

test('who joins beside a writer hears all, once and in order', async () => {
  const a = await connected(Provider, 'gap')
  const n = 3000
  const joined = []
  for (let i = 0; i < n; i++) {
    const number = Buffer.alloc(i % 100 === 0 ? 100000 : 40)
    number.writeUInt32BE(i)
    a.send(types.patch, number)
    if (i % 150 === 149) {
      const c = client(Provider, 'gap', 'read')
      c.numbers = []
      c.patched = patch => c.numbers.push(patch.readUInt32BE(0))
      joined.push(c.connect().then(() => c))
      await new Promise(resolve => setImmediate(resolve))
    }
  }
  const want = Array.from({ length: n }, (_, i) => i)
  for (const c of await Promise.all(joined)) {
    await until('level', () => c.numbers.length >= n,
      () => `${c.numbers.length} of ${n}`)
    assert.deepStrictEqual(c.numbers, want)
  }
})

test('thirty edits made while away, and nobody there to hear them', async () => {
  const a = client(Engine, 'away')
  for (let i = 0; i < 30; i++) a.item(`i${i}`, 'queued')
  await a.connect()
  a.disconnect()
  await until('closed', () => a.closes.length === 1)
  const b = await connected(Engine, 'away')
  await same([a, b])
})

test('values, whole and in chunks', async t => {
  for (const [n, sent, stored] of [[0, [2], [2]], [5, [2], [2]],
    [CHUNK_BYTES, [2], [2]], [CHUNK_BYTES + 1, [5, 5], [5, 5]],
    [3 * CHUNK_BYTES, [5, 5, 5], [5, 5, 5]]]) {
    await t.test(`of ${n} octets`, async () => {
      const data = randomBytes(n)
      const hash = sha(data)
      const key = hash.toString('hex')
      const [a, b] = [await connected(Provider, `v${n}`),
        await connected(Provider, `v${n}`)]
      a.sendValue(hash, data)
      await until('relayed', () => b.values.has(key))
      assert.ok(b.values.get(key).equals(data))
      assert.deepStrictEqual(b.frames, sent)
      b.values.clear()
      a.requestValue(hash) // behind its chunks, and so when it is stored
      await until('answered', () => a.values.has(key))
      assert.deepStrictEqual(a.frames, stored)
      b.requestValue(hash)
      await until('answered', () => b.values.has(key))
      assert.ok(b.values.get(key).equals(data))
      const c = await connected(Provider, `v${n}`, 'read')
      await until('replayed', () => c.values.has(key))
      assert.ok(c.values.get(key).equals(data))
      assert.deepStrictEqual(c.frames, stored)
      c.sendValue(hash, Buffer.from('another'))
      c.requestValue(hash)
      await until('answered, unchanged',
        () => c.frames.length === 2 * stored.length)
      assert.ok(c.values.get(key).equals(data))
      assert.deepStrictEqual(a.frames, stored)
    })
  }
})

test('a value that nobody has is asked of the others', async () => {
  const [a, b] = [await connected(Provider, 'asked'),
    await connected(Provider, 'asked')]
  b.requestValue(sha('x'))
  await until('asked', () => a.frames.length === 1)
  assert.deepStrictEqual(a.frames, [types.request])
})

test('chunks that end real clients reach none', async () => {
  const [a, b] = [await connected(Provider, 'poison'),
    await connected(Provider, 'poison')]
  const hash = sha('x')
  for (const place of [[1, 1], [7, 2], [0, 0], [0xffffffff, 0xffffffff]]) {
    const at = Buffer.alloc(8)
    at.writeUInt32BE(place[0], 0)
    at.writeUInt32BE(place[1], 4)
    a.send(types.chunk, hash, at, Buffer.from('x'))
  }
  a.sendPresence({ PeerId: 'a' })
  await until('met', () => b.peers.has('a'))
  assert.deepStrictEqual(b.frames, [types.presence])
})

test('presence is for those who are there', async () => {
  const [a, b] = [await connected(Provider, 'who', 'read'),
    await connected(Provider, 'who')]
  a.sendPresence({ PeerId: 'a', UserName: 'Änne' })
  b.sendPresence({ UserName: 'without a PeerId' })
  await until('met', () => b.peers.has('a') && a.frames.length === 1)
  assert.deepStrictEqual(b.peers.get('a'), { PeerId: 'a', UserName: 'Änne' })
  const c = await connected(Provider, 'who')
  b.sendPresence({ PeerId: 'b' })
  await until('met', () => c.peers.has('b') && a.peers.has('b'))
  assert.deepStrictEqual(c.frames, [types.presence])
})

test('three that signal find each other', async () => {
  const options = id => ({ url: relay.sds, store: 'rtc', id,
    token: token('rtc', id === 'b' ? 'read' : 'write') })
  const peers = []
  try {
    for (const id of ['a', 'b', 'c']) {
      peers.push(new Signaller(options(id)))
      await peers.at(-1).open
    }
    const heard = () => peers.map(p => p.heard.slice().sort())
    await until('negotiated', () => heard().flat().length === 12,
      () => JSON.stringify(heard()))
    assert.deepStrictEqual(heard(), [
      ['answer b', 'answer c', 'hello b', 'hello c'],
      ['answer c', 'candidate a', 'hello c', 'offer a'],
      ['candidate a', 'candidate b', 'offer a', 'offer b']])
  } finally {
    for (const p of peers) p.close()
  }
})

test('a refused client opens, is closed, and comes again for ever', async () => {
  const a = new Provider({ url: relay.sds, store: 'mine', token: 'none' })
  all.push(a)
  await a.connect()
  await until('refused thrice', () => a.closes.length >= 3)
  assert.deepStrictEqual(a.closes[0], [4001, 'Unauthorized'])
  a.disconnect()
  const b = new Provider({ url: relay.sds, store: 'mine',
    token: token('yours') })
  all.push(b)
  await b.connect()
  await until('refused', () => b.closes.length >= 1)
  assert.deepStrictEqual(b.closes[0], [4003, 'Forbidden'])
})

test('names as clients put them into a URL', async t => {
  for (const store of ['ü', 'a b', 'a%2Fb', 'x;y', 'a+b', '你好', '%25',
    'n'.repeat(300)]) {
    await t.test(store.slice(0, 10), async () => {
      const [a, b] = [await connected(Engine, store),
        await connected(Engine, store)]
      a.item('one', store)
      await same([a, b])
    })
  }
})

test('the largest message passes, and one octet more is too large', async () => {
  const max = 100 * CHUNK_BYTES
  const open = async () => {
    const raw = new Raw(relay.port)
    raw.send(upgrade(`/ws/large?token=${token('large')}`))
    assert.strictEqual((await raw.answer()).status, 101)
    return raw
  }
  const [a, b] = [await open(), await open()]
  const body = Buffer.alloc(max, 7)
  body[0] = types.patch
  a.send(frame(2, body))
  assert.ok((await b.frame()).payload.equals(body))
  const c = await open()
  assert.ok((await c.frame()).payload.equals(body))
  a.send(frame(2, Buffer.concat([body, Buffer.from([0])])).subarray(0, 14))
  assert.strictEqual((await a.frame()).payload.readUInt16BE(0), 1009)
  for (const raw of [a, b, c]) raw.close()
})
