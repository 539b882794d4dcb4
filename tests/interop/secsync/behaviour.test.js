'use strict'
// What the unmodified client must see, a relay of its own for each test.

const assert = require('node:assert')
const test = require('node:test')
const { createUpdate, createSnapshot, createInitialSnapshot, generateId } =
  require('secsync')
const { Client, until, sleep, key, sodium, yjs, WebSocket } =
  require('./client')
const { Proxy } = require('./proxy')
const { Relay } = require('../relay')

let relay
let clients = []

function serve (name, settings, body) {
  test(name, async () => {
    relay = await Relay.start(settings)
    try {
      await body()
    } finally {
      for (const client of clients) client.close()
      clients = []
      await relay.stop()
    }
  })
}

function client (options = {}) {
  const c = new Client({ url: relay.secsync, documentId: 'doc',
    token: relay.token(), ...options })
  clients.push(c)
  return c
}

async function writer (options) {
  const c = client(options)
  c.connect()
  await until('loaded', () => c.loaded, () => c.state())
  return c
}

function same (...all) {
  const states = all.map(c => Buffer.from(
    yjs.encodeStateAsUpdate(c.doc)).toString('hex'))
  return states.every(s => s === states[0])
}

async function settle (...all) {
  await until('all saved and the same',
    () => all.every(c => c.saved) && same(...all),
    () => all.map(c => c.state()).join('\n'))
}

// A connection without the client, for what an honest one never sends.
async function raw (options = {}) {
  const frames = []
  const socket = new WebSocket(`${relay.secsync}/${options.documentId || 'doc'}` +
    `?sessionKey=${options.token || relay.token()}&mode=complete`)
  socket.on('message', data => frames.push(JSON.parse(data)))
  socket.on('close', () => frames.push({ type: 'closed' }))
  socket.on('error', () => {})
  const next = async () => {
    await until('another frame', () => frames.length > 0)
    return frames.shift()
  }
  assert.equal((await next()).type, options.first || 'document')
  return { socket, next, frames, send: m => socket.send(JSON.stringify(m)) }
}

function update (author, refSnapshotId, clock, docId = 'doc', text = '[]') {
  return createUpdate(text, { refSnapshotId, docId,
    pubKey: sodium.to_base64(author.publicKey) }, key, author, clock, sodium)
}

serve('a document is created, written and read by another', [], async () => {
  const a = await writer()
  a.type('one ')
  await settle(a)
  assert.deepEqual(a.frames, ['document', 'snapshot-saved'])
  a.type('two ')
  await settle(a)
  const b = await writer()
  await settle(a, b)
  assert.equal(b.text.toString(), 'one two ')
  b.type('three')
  await settle(a, b)
  assert.equal(a.text.toString(), 'one two three')
})

serve('ephemeral messages reach the others', [], async () => {
  const a = await writer()
  a.type('x')
  await settle(a)
  const b = await writer()
  const c = await writer()
  await settle(a, b, c)
  // Sessions prove each other first; what is said before that is refused.
  await until('heard', () => {
    a.say('here')
    return b.ephemeral.includes('here') && c.ephemeral.includes('here')
  })
  assert.deepEqual(a.ephemeral, [])
})

serve('two writers at once converge', [], async () => {
  const [a, b] = [await writer(), await writer()]
  for (let i = 0; i < 40; i++) {
    a.type(`a${i} `)
    b.type(`b${i} `)
    await sleep(i % 4)
  }
  await settle(a, b)
  for (let i = 0; i < 40; i++) {
    assert.ok(a.text.toString().includes(`a${i} `))
    assert.ok(b.text.toString().includes(`b${i} `))
  }
})

serve('two first snapshots at once: one wins, nothing is lost', [],
  async () => {
    const [a, b] = [await writer(), await writer()]
    a.type('from a ')
    b.type('from b ')
    await settle(a, b)
    assert.match(a.text.toString(), /from a /)
    assert.match(a.text.toString(), /from b /)
  })

serve('snapshots race against updates', [], async () => {
  let left = 6
  const a = await writer({ wantsSnapshot: () => left-- > 0 })
  const b = await writer()
  for (let i = 0; i < 30; i++) {
    a.type(`a${i} `)
    b.type(`b${i} `)
    await sleep(7)
  }
  await settle(a, b)
  for (let i = 0; i < 30; i++) {
    assert.ok(a.text.toString().includes(`a${i} `), `a${i}`)
    assert.ok(a.text.toString().includes(`b${i} `), `b${i}`)
  }
  assert.ok(a.snapshots > 3)
})

serve('a new snapshot is demanded after so many updates',
  ['secsync_updates_max 10'], async () => {
    const [a, b] = [await writer(), await writer()]
    a.type('0 ')
    await settle(a, b)
    for (let i = 1; i <= 35; i++) {
      (i % 2 ? a : b).type(`${i} `)
      await settle(a, b)
    }
    assert.ok(a.snapshots + b.snapshots >= 4)
    const c = await writer()
    assert.equal(c.text.toString(), a.text.toString())
  })

for (const wait of ['0', '30s']) {
  serve(`a kill of the broker, waited for ${wait}, loses nothing`,
    [`broker_wait_ms ${wait}`], async () => {
      const [a, b] = [await writer(), await writer()]
      a.type('before ')
      await settle(a, b)
      b.type('and ')
      await settle(a, b)
      await relay.killBroker()
      a.type('during ')
      b.type('it ')
      await relay.startBroker()
      await settle(a, b)
      a.type('after ')
      await settle(a, b)
      for (const word of ['before ', 'and ', 'during ', 'it ', 'after ']) {
        assert.ok(b.text.toString().includes(word), word)
      }
      // Back for what it lacks, or never away
      assert.equal(a.frames.filter(f => f === 'document').length,
        wait === '0' ? 2 : 1)
      const c = await writer()
      assert.ok(same(a, c))
    })
}

serve('delta: one that knows the snapshot gets what is newer', [], async () => {
  const a = await writer()
  a.type('known ')
  await settle(a)
  a.type('too ')
  await settle(a)
  const load = { knownSnapshotInfo: a.known, mode: 'delta' }
  const b = client({ load })
  yjs.applyUpdateV2(b.doc,
    yjs.encodeStateAsUpdateV2(a.doc), 'secsync-remote')
  a.type('new ')
  await settle(a)
  b.connect()
  await until('loaded', () => b.loaded, () => b.state())
  assert.equal(b.text.toString(), 'known too new ')
  b.type('back')
  await settle(a, b)
})

serve('delta and complete: one that knows an ancestor checks the chain', [],
  async () => {
    let wants = false
    const a = await writer({ wantsSnapshot: () => wants })
    a.type('old ')
    await settle(a)
    const known = a.known
    wants = true
    for (const word of ['1 ', '2 ', '3 ']) {
      a.type(word)
      await settle(a)
    }
    for (const mode of ['delta', 'complete']) {
      const b = client({ load: { knownSnapshotInfo: known, mode } })
      b.connect()
      await until('loaded', () => b.loaded, () => b.state())
      assert.equal(b.text.toString(), 'old 1 2 3 ')
      assert.deepEqual(b.errors, [])
    }
    const forged = { ...known, snapshotCiphertextHash: sodium.to_base64(
      new Uint8Array(32)) }
    const c = client({ load: { knownSnapshotInfo: forged, mode: 'delta' } })
    c.connect()
    await until('failed', () => c.is('failed'), () => c.state())
  })

serve('a reader whose token ends is told and gets nothing more', [],
  async () => {
    const a = await writer()
    a.type('seen ')
    await settle(a)
    const b = client({ token: relay.token({}, 'read', 6) })
    b.connect()
    await until('loaded', () => b.loaded, () => b.state())
    await until('told', () => b.is('noAccess'), () => b.state())
    a.type('unseen')
    await settle(a)
    await sleep(100)
    assert.equal(b.text.toString(), 'seen ')
    assert.equal(b.frames.at(-1), 'unauthorized')
    assert.equal(b.socket.readyState, WebSocket.CLOSED)
  })

serve('who may only read, or write with other keys, is sent away', [],
  async () => {
    const a = await writer()
    a.type('x')
    await settle(a)
    const known = await writer()
    const tokens = [relay.token({}, 'read'),
      relay.token({ secsync: { perm: ['read', 'ephemeral'] } }),
      relay.token({ secsync: { keys: [known.author] } })]
    for (const token of tokens) {
      const b = await writer({ token })
      b.type('y')
      await until('sent away', () => b.is('noAccess'), () => b.state())
    }
    const b = await writer({ keys: known.keys, token: tokens[2] })
    known.disconnect()
    b.type('z')
    await settle(a, b)
    assert.equal(a.text.toString(), 'xz')
  })

serve('forged and replayed messages change nothing', [], async () => {
  const a = await writer()
  a.type('x')
  await settle(a)
  a.type('y')
  await settle(a)
  const author = sodium.crypto_sign_keypair()
  const ref = a.known.snapshotId
  const r = await raw()
  const good = update(author, ref, 0)
  r.send({ ...good, ciphertext: update(author, ref, 0).ciphertext })
  assert.deepEqual(await r.next(), { type: 'update-save-failed',
    snapshotId: ref, clock: 0, requiresNewSnapshot: false })
  r.send(update(author, ref, 0, 'other'))
  assert.equal((await r.next()).type, 'update-save-failed')
  const claimed = { ...good, publicData: { ...good.publicData,
    pubKey: a.author } }
  r.send(claimed)
  assert.equal((await r.next()).type, 'update-save-failed')
  r.send(good)
  assert.deepEqual(await r.next(),
    { type: 'update-saved', snapshotId: ref, clock: 0 })
  r.send(good)
  assert.equal((await r.next()).type, 'update-save-failed')
  r.send(update(author, ref, 2))
  const first = { snapshotId: generateId(sodium), docId: 'doc',
    pubKey: sodium.to_base64(author.publicKey), parentSnapshotId: '',
    parentSnapshotUpdateClocks: {} }
  r.socket.close()
  const s = await raw()
  s.send(createInitialSnapshot('', first, key, author, sodium))
  const outdated = await s.next()
  assert.equal(outdated.type, 'snapshot-save-failed')
  assert.equal(outdated.snapshot.publicData.snapshotId, ref)
  assert.deepEqual(outdated.snapshotProofChain, [])
  assert.equal(outdated.updates.length, 2)
  const child = { ...first, parentSnapshotId: ref }
  s.send(createSnapshot('', child, key, author,
    a.known.snapshotCiphertextHash, a.known.parentSnapshotProof, sodium))
  const misses = await s.next()
  assert.equal(misses.type, 'snapshot-save-failed')
  assert.equal(misses.updates.length, 2)
  assert.ok(!('snapshot' in misses))
  const clocks = { ...child, parentSnapshotUpdateClocks: {
    [a.author]: 0, [child.pubKey]: 0 } }
  s.send(createSnapshot('', clocks, key, author,
    a.known.snapshotCiphertextHash, a.known.snapshotCiphertextHash, sodium))
  assert.deepEqual(await s.next(), { type: 'snapshot-save-failed' })
  a.type('z')
  await settle(a)
  assert.deepEqual(a.errors, [])
  s.socket.close()
})

serve('nobody may read what is not his', ['secsync_create no'], async () => {
  const cases = [
    ['document-not-found', relay.token()],
    ['document-not-found', relay.token({ secsync: { doc: 'doc',
      perm: ['read', 'snapshot'] } })],
    ['unauthorized', relay.token({ secsync: { doc: 'other' } })],
    ['unauthorized', relay.token({ secsync: { doc: 'doc', perm: ['update'] } })],
    ['unauthorized', 'garbage'],
    ['document', relay.token({ secsync: { doc: ['x', 'd*'],
      perm: ['read', 'create', 'snapshot'] } })]
  ]
  for (const [first, token] of cases) {
    const r = await raw({ first, token })
    if (first !== 'document') assert.equal((await r.next()).type, 'closed')
    r.socket.close()
  }
})

serve('large messages of all kinds arrive', ['secsync_ephemeral_max 2M'],
  async () => {
    let wants = true
    const a = await writer({ wantsSnapshot: () => wants })
    a.type('s'.repeat(3000000))
    await settle(a)
    const b = await writer()
    wants = false
    a.type('u'.repeat(400000))
    await settle(a, b)
    wants = true
    b.type('end')
    a.type('t'.repeat(1500000))
    await settle(a, b)
    const c = await writer()
    await settle(a, b, c)
    await until('heard', () => {
      a.say('small')
      return b.ephemeral.includes('small')
    })
    const large = 'e'.repeat(700000)
    a.say(large)
    await until('heard it all', () => b.ephemeral.includes(large))
    a.type('after')
    await settle(a, b, c)
  })

serve('a message that is too large ends its author, and nobody else', [],
  async () => {
    const a = await writer()
    a.type('x')
    await settle(a)
    const [b, c] = [await writer(), await writer()]
    b.type('b'.repeat(2000000))
    await until('failed', () => b.is('failed'), () => b.state())
    c.type('c'.repeat(20000000))
    await until('failed', () => c.is('failed'), () => c.state())
    assert.equal(b.frames.at(-1), 'document-error')
    a.type('y')
    await settle(a)
  })

serve('a reader that is too slow comes back for what it lacks',
  ['ring_bytes 64K', 'secsync_updates_max 100000', 'secsync_rate_max 0'],
  async () => {
    const a = await writer()
    a.type('x')
    await settle(a)
    const b = await writer()
    const { socket } = b
    socket._socket.pause()
    const r = await raw()
    const author = sodium.crypto_sign_keypair()
    const updates = 1500
    for (let clock = 0; clock < updates; clock++) {
      r.send(update(author, a.known.snapshotId, clock, 'doc',
        '[]'.padEnd(8000)))
      await sleep(0)
    }
    await until('saved', () => r.frames.at(-1)?.clock === updates - 1)
    socket._socket.resume()
    await until('level', () => b.loaded && b.known?.updateClocks[
      sodium.to_base64(author.publicKey)] === updates - 1, () => b.state())
    assert.ok(b.socket !== socket)
    assert.deepEqual(b.errors, [])
  })

serve('a rate delays and loses nothing', [], async () => {
  const a = await writer({ token:
    relay.token({ secsync: { lim: { rate: 20 } } }) })
  const b = await writer()
  for (let i = 0; i < 60; i++) {
    a.type(`${i} `)
    await sleep(2)
  }
  await settle(a, b)
  for (let i = 0; i < 60; i++) assert.ok(b.text.toString().includes(`${i} `))
})

serve('what does not parse hurts nobody', [], async () => {
  const a = await writer()
  a.type('x')
  await settle(a)
  const r = await raw()
  for (const text of ['{', '[]', 'null', '\ufeff{}', '"x"']) r.socket.send(text)
  r.socket.send(Buffer.from([0xff, 0xfe]))
  r.send({ publicData: { snapshotId: 5 } })
  assert.deepEqual(await r.next(), { type: 'snapshot-save-failed' })
  r.socket.close()
  a.type('y')
  await settle(a)
})

serve('who is revoked hears nothing more', [], async () => {
  const a = await writer()
  a.type('x')
  await settle(a)
  const token = jti => relay.token({}, 'write', 3600, '-j', jti)
  const r = await raw({ token: token('one') })
  const other = await raw({ token: token('two') })
  relay.revoke('jti', 'one')
  assert.deepEqual(await r.next(), { type: 'unauthorized' })
  assert.deepEqual(await r.next(), { type: 'closed' })
  a.type('y')
  await settle(a)
  assert.equal((await other.next()).type, 'update')
  assert.deepEqual(r.frames, [])
  await raw({ token: token('one'), first: 'unauthorized' })
  other.socket.close()
})

serve('what is held and then taken by another is refused', [], async () => {
  const a = await writer()
  a.type('x')
  await settle(a)
  const ref = a.known.snapshotId
  const author = sodium.crypto_sign_keypair()
  const [r, other] = [await raw(), await raw()]
  const failed = clock => ({ type: 'update-save-failed', snapshotId: ref, clock,
    requiresNewSnapshot: false })
  r.send(update(author, ref, 1))
  assert.deepEqual(await r.next(), failed(1))
  r.send(update(author, ref, 0))
  const first = update(author, ref, 0, 'doc', 'another')
  other.send(first)
  assert.deepEqual(await other.next(), { type: 'update-saved',
    snapshotId: ref, clock: 0 })
  assert.deepEqual(await r.next(), { ...first, type: 'update' })
  assert.deepEqual(await r.next(), failed(0))
  r.socket.close()
  other.socket.close()
})

// Section 7: what a client sent after a refusal is held; a snapshot of another
// that comes meanwhile makes it stale.
for (const latency of [0, 40]) {
  for (const goesOn of [false, true]) {
    serve(`what is held when another's snapshot comes is not lost, over ` +
      `${latency} ms, ${goesOn ? 'typing on' : 'then silent'}`, [], async () => {
      const proxy = await Proxy.start(relay.port, () => latency)
      let wants = false
      const a = await writer({ url: `ws://127.0.0.1:${proxy.port}/secsync` })
      const b = await writer({ wantsSnapshot: () => wants })
      const words = ['before ']
      const type = word => { words.push(word); a.type(word) }
      a.type(words[0])
      await settle(a, b)
      type('update ')
      await settle(a, b)
      // Back by delta it begins with clock 0 again, which is taken
      a.socket.terminate()
      await until('aware of it', () => !a.loaded)
      await until('loaded', () => a.loaded, () => a.state())
      const from = a.frames.length
      type('held ')
      await until('refused', () => a.frames.includes('update-save-failed', from),
        () => a.state())
      await sleep(3 * latency + 50)
      wants = true
      b.type('snapshot ')
      await until('there', () => a.frames.includes('snapshot', from))
      wants = false
      for (let i = 0; goesOn && i < 40; i++) {
        type(`${i} `)
        await sleep(15)
      }
      await settle(a, b)
      const seen = a.frames.slice(from).filter(f =>
        ['update-save-failed', 'snapshot', 'update-saved'].includes(f))
      assert.deepEqual(seen.slice(0, 3),
        ['update-save-failed', 'snapshot', 'update-save-failed'], a.state())
      assert.equal(seen.at(-1), 'update-saved')
      const late = await writer()
      await settle(a, b, late)
      for (const word of [...words, 'snapshot ']) {
        assert.ok(late.text.toString().includes(word), word)
      }
      assert.deepEqual(a.errors, [])
      proxy.stop()
    })
  }
}

// Section 8: the client forgets what is in a snapshot that was never answered.
serve('a relay that is stopped answers the snapshots it has received', [],
  async () => {
    const a = await writer({ wantsSnapshot: () => true })
    const words = []
    for (let i = 0; i < 4; i++) {
      words.push(`${i}${'x'.repeat(i * 500000)} `)
      // The broker takes no more of it than its socket does
      relay.broker.kill('SIGSTOP')
      a.type(words.at(-1))
      await until('on its way', () => a.context._snapshotInFlight !== null &&
        a.socket.bufferedAmount === 0, () => a.state())
      await sleep(100)
      const stopped = relay.restart()
      await sleep(100)
      relay.broker.kill('SIGCONT')
      await stopped
      await until('back', () => a.loaded && a.is({ connected: 'idle' }),
        () => a.state())
    }
    const b = await writer()
    await settle(a, b)
    for (const word of words) assert.ok(b.text.toString().includes(word))
  })
