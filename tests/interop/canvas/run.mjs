// The unmodified client against the relay, a relay of its own for each test.

import assert from 'node:assert'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import test from 'node:test'
import { Box, Client, Cursor, Stroke, WebSocket, seedRoom, sleep, until } from
  './client.mjs'

const { Relay } = createRequire(import.meta.url)('../relay')

let relay
let clients = []

function serve (name, settings, body) {
  test(name, async () => {
    relay = await Relay.start(settings)
    try {
      await body()
    } finally {
      for (const c of clients) c.close()
      clients = []
      await relay.stop()
    }
  })
}

async function client (clientId, options = {}) {
  const c = await Client.start({ clientId, url: relay.canvas,
    token: relay.token({}), ...options })
  clients.push(c)
  return c
}

async function members (n) {
  const all = []
  for (let i = 0; i < n; i++) all.push(await client(`client-${i}`))
  await until('everybody knows of everybody', () =>
    all.every(c => c.store.isSynced &&
      c.store.websocketAdapter.connectedUsers === n))
  return all
}

const same = (...all) => all.every(c => c.state() === all[0].state())

async function settle (...all) {
  try {
    await until('everything is acknowledged and the same', () =>
      all.every(c => c.online && c.unacked === 0) && same(...all))
  } catch (error) {
    throw new Error(error.message + '\n' + all.map(c =>
      `${c.id} unacked ${c.unacked} at ${c.cursor}: ` +
      c.state().slice(0, 1000)).join('\n'))
  }
}

// And all its workers know; their level is debug.  Of a client that goes before
// its worker knows, only the time to come back tells, in forty seconds.
async function killBroker (workers) {
  const before = relay.said('waits for a broker')
  await relay.killBroker()
  await until('they wait', () =>
    relay.said('waits for a broker') - before === workers)
}

// What the room holds, as somebody new gets it.
async function newcomer (...all) {
  const c = await client(`new-${Math.random()}`)
  await settle(c, ...all)
  return c
}

// Each edits its own components all the time and all of them one in turn.
async function concurrently (rounds, all) {
  for (const c of all) await c.create(Box, `own-${c.id}`, { text: c.id })
  await all[0].create(Box, 'shared', { text: 'shared' })
  await settle(...all)
  for (const c of all) {
    await c.edit(() => {
      const ecs = c.store.ecsAdapter
      c.entities.set('shared', ecs.stableIdToEntity.get('shared'))
    })
  }
  for (let i = 0; i < rounds; i++) {
    for (const c of all) {
      c.change(Box, `own-${c.id}`, { x: i, y: Math.random() })
      // The fields of one component, a client each
      c.change(Box, 'shared', c === all[0] ? { x: i } : { y: i })
    }
    await sleep(40)
  }
}

serve('two clients converge under concurrent edits', [], async () => {
  const all = await members(2)
  await concurrently(40, all)
  await settle(...all)
  assert.strictEqual(all[0].has('shared/box').x, 39)
  assert.strictEqual(all[0].has('shared/box').y, 39)
  const c = await newcomer(...all)
  assert.strictEqual(c.has('own-client-1/box').x, 39)
})

serve('five clients converge under concurrent edits', [], async () => {
  const all = await members(5)
  await concurrently(25, all)
  await settle(...all)
  await newcomer(...all)
})

serve('buffers travel as deltas and arrive whole', [], async () => {
  const [a, b] = await members(2)
  await a.create(Stroke, 's', { points: [1, 2, 3] })
  await settle(a, b)
  for (let i = 3; i < 20; i++) {
    await a.edit(ctx => {
      const s = Stroke.write(ctx, a.entities.get('s'))
      s.points[i] = i
    })
    await sleep(20)
  }
  await settle(a, b)
  assert.strictEqual(b.has('s/stroke').points[19], 19)
  await newcomer(a, b)
})

serve('what was done offline arrives, and what was missed', [], async () => {
  const [a, b] = await members(2)
  await a.create(Box, 'a', { x: 1, y: 1 })
  await b.create(Box, 'b', { x: 1 })
  await settle(a, b)
  a.store.disconnect()
  await until('offline', () => !a.online)
  await a.change(Box, 'a', { x: 2 })
  await a.create(Box, 'a2', { text: 'new' })
  await b.change(Box, 'b', { x: 3 })
  await b.create(Box, 'b2', { text: 'new' })
  await b.remove('b')
  await until('b is alone', () =>
    b.store.websocketAdapter.connectedUsers === 1 && b.unacked === 0)
  await a.store.connect()
  await settle(a, b)
  assert.strictEqual(b.has('a/box').x, 2)
  assert.strictEqual(a.has('a2/box').text, 'new')
  assert.strictEqual(a.has('b/box'), undefined)
  assert.strictEqual(a.has('b2/box').text, 'new')
  await newcomer(a, b)
})

// Clients that come back, and such that were never away.
for (const wait of ['0', '30s']) {
  serve(`a broker killed in the middle, waited for ${wait}, loses nothing`,
    [`broker_wait_ms ${wait}`], async () => {
      const all = await members(3)
      for (const c of all) await c.create(Box, `own-${c.id}`, { x: -1 })
      await settle(...all)
      let round = 0
      for (let kill = 0; kill < 3; kill++) {
        for (let i = 0; i < 25; i++, round++) {
          for (const c of all) c.change(Box, `own-${c.id}`, { x: round })
          await sleep(15)
          if (i === 12) {
            const before = Math.max(...all.map(c => c.cursor))
            await relay.killBroker()
            await sleep(50)
            await relay.startBroker()
            await until('they come back', () => all.every(c => c.online))
            await until('numbers go on', () =>
              all.every(c => c.cursor >= before))
          }
        }
      }
      for (const c of all) c.change(Box, `own-${c.id}`, { x: round })
      await settle(...all)
      const late = await newcomer(...all)
      for (const c of all) {
        assert.strictEqual(late.has(`own-${c.id}/box`).x, round)
      }
    })
}

serve('a token refreshed up and down', [], async () => {
  const [a] = await members(1)
  const b = await client('b', { token: relay.token({}, 'read') })
  await until('b is there', () => b.store.isSynced)
  await a.create(Box, 'a', { x: 1 })
  await b.create(Box, 'refused', { x: 1 })
  await until('acknowledged all the same', () => b.unacked === 0)
  await until('b sees a', () => b.has('a/box'))
  b.store.setToken(relay.token({}, 'write'))
  await b.create(Box, 'taken', { x: 1 })
  await until('a sees it', () => a.has('taken/box'))
  assert.strictEqual(a.has('refused/box'), undefined)
  b.store.setToken(relay.token({}, 'read'))
  await b.change(Box, 'taken', { x: 2 })
  await until('acknowledged', () => b.unacked === 0)
  assert.strictEqual(a.has('taken/box').x, 1)
  const c = await client('c')
  await until('c is there', () => c.store.isSynced && c.has('taken/box'))
  assert.strictEqual(c.has('taken/box').x, 1)
})

serve('a token that is refused is asked for again', [], async () => {
  const c = await client('c', { token: 'no.such.token' })
  await sleep(700)
  assert.ok(!c.store.isSynced)
  c.store.setToken(relay.token({}))
  await until('let in', () => c.store.isSynced)
})

serve('a token may be for one clientId only', [], async () => {
  const token = relay.token({ canvas_client: 'alice' })
  const alice = await client('alice', { token })
  await until('let in', () => alice.store.isSynced)
  const mallory = await client('mallory', { token })
  await sleep(300)
  assert.ok(!mallory.store.isSynced)
  mallory.store.setToken(relay.token({ canvas_client: 'mallory' }))
  await until('let in', () => mallory.store.isSynced)
  await mallory.create(Box, 'm', { x: 1 })
  await settle(alice, mallory)
})

serve('undo of a singleton\'s first change', [], async () => {
  const [a, b] = await members(2)
  await a.setPage('first')
  await settle(a, b)
  await sleep(100)
  await a.edit(() => a.store.undo())
  await until('acknowledged', () => a.unacked === 0)
  await b.setPage('second')
  await until('acknowledged', () => b.unacked === 0)
  // Who comes now must see it: the room has not buried the singleton
  const c = await client('c')
  await until('c sees it', () => c.has('SINGLETON/page')?.title === 'second')
})

serve('cursors come and go with their clients', [], async () => {
  const [a, b] = await members(2)
  await a.create(Cursor, 'cur', { x: 1 })
  await until('b sees it', () => b.has('cur/cursor'))
  const c = await client('c')
  await until('who comes later as well', () => c.has('cur/cursor'))
  await a.change(Cursor, 'cur', { x: 7 })
  await until('they see it move', () =>
    b.has('cur/cursor').x === 7 && c.has('cur/cursor').x === 7)
  a.store.disconnect()
  await until('gone', () => !b.has('cur/cursor') && !c.has('cur/cursor'))
  await a.store.connect()
  await until('and back', () =>
    b.has('cur/cursor')?.x === 7 && c.has('cur/cursor')?.x === 7)
})

serve('who leaves while there is no broker is shown to nobody after it',
  ['log_level debug'], async () => {
    const [a, b, c] = await members(3)
    await a.create(Box, 'a', { x: 1 })
    await b.create(Cursor, 'cur', { x: 1 })
    await c.create(Cursor, 'stays', { x: 2 })
    await settle(a, b, c)
    await until('a sees them', () => a.has('cur/cursor') &&
      a.has('stays/cursor'))
    await killBroker(3)
    b.store.disconnect()
    await sleep(100)
    await relay.startBroker()
    await a.change(Box, 'a', { x: 2 })
    await until('it goes on', () => a.unacked === 0 && c.has('a/box').x === 2)
    await until('two are counted', () =>
      a.store.websocketAdapter.connectedUsers === 2)
    await until('it is gone', () => !a.has('cur/cursor') &&
      !c.has('cur/cursor'))
    await until('the other is not', () => a.has('stays/cursor')?.x === 2)
  })

// Brokers come twice, so that the second one has to know what the first waited
// for; who is in a room where nobody is missing notices nothing of it.
serve('who is gone without a word while there is no broker is shown to nobody',
  ['broker_wait_ms 2s', 'log_level debug'], async () => {
    const [a, b, c] = await members(3)
    await b.create(Cursor, 'cur', { x: 1 })
    await c.create(Cursor, 'stays', { x: 2 })
    const d = await client('d', { documentId: 'whole' })
    const e = await client('e', { documentId: 'whole' })
    await e.create(Cursor, 'e', { x: 1 })
    await until('all are seen', () => a.has('cur/cursor') &&
      a.has('stays/cursor') && d.has('e/cursor'))
    const sockets = [a, d].map(x => x.store.websocketAdapter.ws)
    await killBroker(5)
    b.store.websocketAdapter.ws._socket.resetAndDestroy()
    clearInterval(b.timer)
    b.store.setToken('no longer good')
    e.store.disconnect()
    await relay.startBroker()
    await a.create(Box, 'a', { x: 1 })
    await until('it goes on', () => a.unacked === 0 && c.has('a/box') &&
      !d.has('e/cursor'))
    await relay.killBroker()
    await relay.startBroker()
    await a.change(Box, 'a', { x: 2 })
    await until('it goes on', () => a.unacked === 0 && c.has('a/box').x === 2)
    assert.strictEqual(a.store.websocketAdapter.ws, sockets[0])
    await until('it is gone', () => !a.has('cur/cursor') &&
      !c.has('cur/cursor'), 30000)
    await until('the other is not', () => a.has('stays/cursor')?.x === 2 &&
      a.store.websocketAdapter.connectedUsers === 2)
    await settle(a, c)
    assert.strictEqual(d.store.websocketAdapter.ws, sockets[1])
    assert.ok(d.online)
  })

serve('two that come at once meet, also in a room left just now', [],
  async () => {
    for (let i = 0; i < 10; i++) {
      if (i % 3 === 2) {
        await relay.killBroker()
        await relay.startBroker()
      }
      const pair = await Promise.all(['a', 'b'].map(id =>
        client(`${id}${i}`, { documentId: `room-${i >> 1}` })))
      await until('they meet', () => pair.every(c => c.store.isSynced &&
        c.store.websocketAdapter.connectedUsers === 2))
      await pair[0].create(Box, `a${i}`, { x: i })
      await pair[1].create(Box, `b${i}`, { x: i })
      await settle(...pair)
      assert.ok(pair[0].has(`a${i & ~1}/box`), 'what was there before')
      for (const c of pair) c.store.disconnect()
    }
  })

function boxes (n, text) {
  const all = {}
  for (let i = 0; i < n; i++) {
    all[`seed-${i}/box`] = { _exists: true, _version: null, x: i, y: 0, text }
  }
  return all
}

serve('a room of 10 MB', [], async () => {
  const text = 'x'.repeat(90)
  const room = boxes(80000, text)
  assert.ok(JSON.stringify(room).length > 10e6)
  assert.ok(await seedRoom({ url: relay.canvas, roomId: 'room',
    token: relay.token({}), document: room, timeoutMs: 60000 }))
  const c = await client('c', { maxEntities: 100000 })
  await until('all of it', () => c.store.isSynced, 60000)
  assert.strictEqual(JSON.parse(c.state()).length, 80000)
  assert.strictEqual(c.has('seed-79999/box').text, text)
  // Who knows it all is sent nothing of it again
  const frames = await reconnect(c.cursor)
  assert.deepStrictEqual(frames.map(f => f.type), ['synced'])
})

serve('a room of 100,000 components, seeded while another watches', [],
  async () => {
    const a = await client('a', { maxEntities: 120000 })
    await until('a is there', () => a.store.isSynced)
    assert.ok(await seedRoom({ url: relay.canvas, roomId: 'room',
      token: relay.token({}), document: boxes(100000, ''), timeoutMs: 60000 }))
    await until('a has all', () =>
      Object.keys(a.store.getState()).length === 100000, 60000)
    const b = await client('b', { maxEntities: 120000 })
    await until('all of it', () => b.store.isSynced, 60000)
    await until('the same', () => a.state() === b.state())
  })

// Times are compared with one another only: nothing of it is a matter of speed.
serve('a request of 100,000 components holds up no other room', [],
  async () => {
    const other = await raw('other', 'other')
    const big = await raw('big')
    let asked, longest = 0
    const ask = () => {
      asked = performance.now()
      other.socket.send(JSON.stringify({ type: 'patch', messageId: 'm',
        documentPatches: [{ e: { _exists: true, asked } }] }))
    }
    other.socket.on('message', data => {
      if (!String(data).startsWith('{"type":"ack"')) return
      longest = Math.max(longest, performance.now() - asked)
      ask()
    })
    const text = JSON.stringify({ type: 'patch', messageId: 'big',
      documentPatches: [boxes(100000, '')] })
    ask()
    const begun = performance.now()
    big.socket.send(text)
    await until('it is done', () =>
      big.frames.some(f => f.messageId === 'big'), 60000)
    const whole = performance.now() - begun
    assert.ok(longest < whole / 4, `${longest} ms of ${whole}`)
    for (const c of [other, big]) c.socket.close()
  })

serve('a component of 5 MB, to who watches and who comes', [], async () => {
  const document = { 'big/any': { _exists: true, s: 'x'.repeat(5e6),
    a: Array.from({ length: 50000 }, (_, i) => i) } }
  const watcher = await raw('watcher')
  assert.ok(await seedRoom({ url: relay.canvas, roomId: 'room',
    token: relay.token({}), document }))
  await until('it arrives', () => watcher.frames.some(f => f.timestamp === 1))
  const [patch, synced] = await reconnect(0)
  assert.deepStrictEqual(patch.documentPatches, [document])
  assert.strictEqual(synced.timestamp, 1)
  assert.deepStrictEqual(watcher.frames.find(f => f.timestamp)
    .documentPatches, [document])
  watcher.socket.close()
})

serve('a large component that changes while it is asked for', [], async () => {
  const writer = await raw('writer')
  let k = 0
  const write = () => writer.socket.send(JSON.stringify({ type: 'patch',
    messageId: '', documentPatches: [{ big: { _exists: true,
      s: `${++k}-${'x'.repeat(1e6)}` } }] }))
  writer.socket.on('message', data => {
    if (String(data).startsWith('{"type":"ack"') && k > 0) write()
  })
  write()
  await until('it is there', () => k > 1)
  for (let i = 0; i < 15; i++) {
    // Numbers and writes are one
    const [patch] = await reconnect(0)
    assert.strictEqual(parseInt(patch.documentPatches[0].big.s),
      patch.timestamp)
  }
  writer.socket.close()
})

// What a raw connection was told, each number once and in order, makes the room
// that a newcomer gets; patches are its own, by messageId.
async function told (frames, patches) {
  const room = {}
  let at = 0
  for (const f of frames) {
    if (f.type !== 'ack' && f.type !== 'patch') continue
    if (f.timestamp === undefined) continue
    assert.ok(f.timestamp > at, `${f.timestamp} behind ${at}`)
    at = f.timestamp
    for (const p of f.type === 'ack' ? [patches[f.messageId]]
      : f.documentPatches) {
      for (const [key, c] of Object.entries(p)) {
        room[key] = { ...room[key], ...c }
      }
    }
  }
  const [whole] = await reconnect(0)
  assert.strictEqual(at, whole.timestamp)
  assert.deepStrictEqual(room, whole.documentPatches[0])
}

serve('who reads too late is brought level over its open socket', [],
  async () => {
    const writer = await raw('writer')
    const slow = await raw('slow')
    let closed = false
    slow.socket.on('close', () => { closed = true })
    slow.socket.pause()
    const n = 1000
    const patches = {}
    for (let k = 0; k < n; k++) {
      writer.socket.send(JSON.stringify({ type: 'patch', messageId: `${k}`,
        documentPatches: [{ [`e-${k % 300}`]: { _exists: true, k,
          s: 'x'.repeat(2e4) } }] }))
      if (k % 50 !== 25) continue
      // Its own go on, to what the other writes as well
      patches[k] = { [`e-${k % 300}`]: { mine: k },
        own: { _exists: true, [`f-${k}`]: k } }
      slow.socket.send(JSON.stringify({ type: 'patch', messageId: `${k}`,
        documentPatches: [patches[k]] }))
      await until('a while', () =>
        writer.frames.some(f => f.messageId === `${k}`), 60000)
    }
    // What it sends may wait, too, for what it does not read
    const all = n + Object.keys(patches).length
    await until('all that it misses is stored', () =>
      writer.frames.some(f => f.messageId === `${n - 1}`), 60000)
    slow.socket.resume()
    await until('it is level', () => closed ||
      slow.frames.some(f => f.timestamp === all), 60000)
    assert.ok(!closed)
    for (const id of Object.keys(patches)) {
      assert.strictEqual(
        slow.frames.filter(f => f.messageId === id).length, 1)
    }
    // Not patch by patch, or it was not late
    assert.ok(slow.frames.some(f => f.clientId === '' && f.documentPatches))
    assert.ok(slow.frames.length < n)
    await told(slow.frames, patches)
    // And live again
    writer.socket.send(JSON.stringify({ type: 'patch', messageId: 'last',
      documentPatches: [{ last: { _exists: true } }] }))
    await until('the next', () =>
      slow.frames.some(f => f.timestamp === all + 1 && f.clientId === 'writer'))
    for (const c of [writer, slow]) c.socket.close()
  })

// Much passes while the client does not read.
async function flood () {
  const writer = await raw('flood')
  const n = 700
  for (let k = 0; k < n; k++) {
    writer.socket.send(JSON.stringify({ type: 'patch', messageId: `${k}`,
      documentPatches: [{ [`flood-${k % 20}/any`]: { _exists: true,
        s: 'x'.repeat(2e4) } }] }))
  }
  await until('all is stored', () =>
    writer.frames.some(f => f.messageId === `${n - 1}`), 60000)
  return writer
}

serve('a client that falls behind stays and converges', [], async () => {
  const [a, b] = await members(2)
  await a.create(Box, 'a', { x: 0 })
  await b.create(Box, 'b', { x: 0 })
  await b.create(Cursor, 'cur', { x: 1 })
  await settle(a, b)
  const { ws } = a.store.websocketAdapter
  ws._socket.pause()
  let n = 0
  const edits = setInterval(() => {
    a.change(Box, 'a', { x: ++n })
    b.change(Box, 'b', { x: n })
  }, 20)
  b.change(Cursor, 'cur', { x: 7 })
  const writer = await flood()
  clearInterval(edits)
  ws._socket.resume()
  writer.socket.close()
  await a.change(Box, 'a', { x: ++n })
  await settle(a, b)
  assert.strictEqual(a.store.websocketAdapter.ws, ws)
  assert.strictEqual(b.has('a/box').x, n)
  await until('the cursor is where it is', () => a.has('cur/cursor').x === 7)
  await until('and they count themselves', () =>
    a.store.websocketAdapter.connectedUsers === 2)
  await newcomer(a, b)
})

serve('who falls behind while presence ends is let go, and shows none of it',
  [], async () => {
    const [a, b] = await members(2)
    await b.create(Cursor, 'cur', { x: 1 })
    await a.create(Box, 'a', { x: 0 })
    await settle(a, b)
    await until('a sees it', () => a.has('cur/cursor'))
    const { ws } = a.store.websocketAdapter
    let code
    ws.on('close', c => { code = c })
    ws._socket.pause()
    let writer = await flood()
    writer.socket.close()
    await b.remove('cur')
    await a.change(Box, 'a', { x: 1 })
    writer = await flood()
    ws._socket.resume()
    await until('it is let go', () => code !== undefined)
    assert.strictEqual(code, 1013)
    await until('it is back', () => a.store.websocketAdapter.ws !== ws &&
      a.online)
    writer.socket.close()
    await settle(a, b)
    assert.ok(!a.has('cur/cursor'))
    assert.strictEqual(b.has('a/box').x, 1)
  })

// Section 16: what was pending when a flush fails is never acknowledged, and
// the clients come back with it.
for (const fault of ['EIO', 'ENOSPC']) {
  serve(`a disk that fails with ${fault} loses nothing acknowledged`,
    ['broker_wait_ms 0'], async () => {
      const count = `${relay.dir}/count`
      fs.writeFileSync(count, Buffer.alloc(24))
      const [a, b] = await members(2)
      await a.create(Box, 'a', { x: 0 })
      await b.create(Box, 'b', { x: 0 })
      await settle(a, b)
      await relay.stopBroker()
      await relay.startBroker({ DISK_COUNT: count })
      await settle(a, b)
      await relay.stopBroker()
      const calls = fs.readFileSync(count).readBigUInt64LE()
      await relay.startBroker({ DISK_FAULT: `${calls + 40n}:${fault}` })
      let ended = false
      relay.broker.ended.then(() => { ended = true })
      await until('they are back', () => a.online && b.online)
      const writer = await raw('writer')
      let k = 0
      while (!ended) {
        writer.socket.send(JSON.stringify({ type: 'patch', messageId: `${k}`,
          documentPatches: [{ [`e-${k}`]: { _exists: true, k } }] }))
        a.change(Box, 'a', { x: ++k })
        b.change(Box, 'b', { x: k })
        await sleep(3)
      }
      assert.notStrictEqual(await relay.broker.ended, 0)
      await until('it is told', () => writer.socket.readyState === 3)
      const acks = writer.frames.filter(f => f.type === 'ack')
      assert.ok(acks.length > 0 && acks.length < k)
      assert.strictEqual(await status('room'), 503)
      await relay.startBroker()
      await until('they are back', () => a.online && b.online)
      // What they lose of the last moment is theirs (section 15)
      await a.change(Box, 'a', { x: ++k })
      await b.change(Box, 'b', { x: k })
      await settle(a, b)
      assert.strictEqual(b.has('a/box').x, k)
      assert.strictEqual(a.has('b/box').x, k)
      const [whole] = await reconnect(0)
      for (const [i, { messageId, timestamp }] of acks.entries()) {
        assert.strictEqual(+messageId, i)
        assert.ok(timestamp < whole.timestamp)
        assert.strictEqual(whole.documentPatches[0][`e-${messageId}`].k,
          +messageId)
      }
      await newcomer(a, b)
    })
}

// Section 14: the original takes a damaged file for an empty room.
serve('a damaged room is closed, and is back when it is restored', [],
  async () => {
    const mark = 'this is the octet that goes wrong'
    const a = await client('a', { documentId: 'damaged' })
    const b = await client('b', { documentId: 'sound' })
    await until('both there', () => a.store.isSynced && b.store.isSynced)
    // In the middle of the room: pages at its ends are its neighbour's as well
    for (const c of [a, b]) {
      for (let i = 100; i < 300; i++) {
        await c.create(Box, `${c.id}${i}`, { text: c === a && i === 200
          ? mark : 'x'.repeat(90) })
        if (i % 50 === 0) await until('stored', () => c.unacked === 0)
      }
      await until('stored', () => c.unacked === 0)
    }
    relay.ctl('backup', `${relay.dir}/backup`)
    await relay.stopBroker()
    assert.ok(damage(mark) > 0)
    await relay.startBroker()
    // Who meets it first ends the broker, which is started again
    let ended = 0
    let over = false
    const supervisor = (async () => {
      while (await relay.broker.ended, !over) {
        ended++
        await relay.startBroker()
      }
    })()
    const c = await client('c', { documentId: 'damaged' })
    await until('it ended', () => ended === 1)
    let edit = 0
    await b.change(Box, 'b100', { x: ++edit })
    await until('the other goes on', () => b.online && b.unacked === 0)
    for (let i = 0; i < 3; i++) {
      assert.strictEqual(await status('damaged'), 503)
    }
    // Nobody takes the room for an empty one
    await until('nobody is in it', () => !c.online && !a.online)
    assert.ok(!c.store.isSynced)
    assert.strictEqual(a.has('a200/box').text, mark)
    await a.change(Box, 'a200', { x: 7 })
    await b.change(Box, 'b100', { x: ++edit })
    await until('the other goes on', () => b.unacked === 0)
    assert.strictEqual(ended, 1)
    // To give back the space of what it replaces meets the damage once more
    relay.ctl('restore', `${relay.dir}/backup`, 'canvas:damaged')
    await until('back', () => a.online && c.store.isSynced, 30000)
    await settle(a, c)
    assert.strictEqual(c.has('a200/box').text, mark)
    assert.strictEqual(c.has('a200/box').x, 7)
    assert.ok(c.has('a299/box'))
    const d = await client('d', { documentId: 'sound' })
    await settle(b, d)
    assert.strictEqual(d.has('b100/box').x, edit)
    assert.ok(ended <= 2)
    over = true
    await relay.stopBroker()
    await supervisor
    await relay.startBroker()
  })

// Spoils the octets of the text wherever tables hold them: how often.
function damage (text) {
  const data = `${relay.dir}/data`
  let n = 0
  for (const name of fs.readdirSync(data).filter(f => f.endsWith('.db'))) {
    const octets = fs.readFileSync(`${data}/${name}`)
    for (let at = -1; (at = octets.indexOf(text, at + 1)) !== -1; n++) {
      octets[at] ^= 1
    }
    fs.writeFileSync(`${data}/${name}`, octets)
  }
  return n
}

// What an upgrade for that room is answered.
function status (room) {
  return new Promise(resolve => {
    const socket = new WebSocket(`${relay.canvas}?roomId=${room}&clientId=s` +
      `&token=${relay.token({})}`)
    socket.on('error', () => {})
    socket.on('open', () => { resolve(101); socket.close() })
    socket.on('unexpected-response', (request, response) => {
      resolve(response.statusCode)
      request.destroy()
    })
  })
}

serve('all may come back with much at once', [], async () => {
  const n = 8
  const all = await Promise.all([...Array(n).keys()].map(i => raw(`raw-${i}`)))
  let gone = 0
  all.forEach(({ socket }, i) => {
    socket.on('close', () => gone++)
    for (let k = 0; k < 3; k++) {
      socket.send(JSON.stringify({ type: 'patch', messageId: `${k}`,
        documentPatches: [{ [`e-${i}-${k}`]: { _exists: true,
          s: 'x'.repeat(2e5) } }] }))
    }
  })
  await until('all are told of all', () => gone > 0 ||
    all.every(c => c.frames.some(f => f.timestamp === 3 * n)))
  assert.strictEqual(gone, 0)
  for (const c of all) c.socket.close()
})

// Each socket sees every number once and in order, as an ack or a broadcast,
// and what it is told in that order makes the room; around reconnects as well.
serve('numbers rise on every socket and make the same room', [], async () => {
  const n = 200
  const all = await Promise.all([0, 1, 2, 3].map(i => raw(`raw-${i}`)))
  const patch = (i, k) => ({ [`e-${k % 7}/c`]: { _exists: true,
    [`f-${i}`]: k, last: `${i}-${k}` } })
  for (let k = 0; k < n; k++) {
    all.forEach(({ socket }, i) => {
      socket.send(JSON.stringify({ type: 'patch', messageId: `${k}`,
        documentPatches: [patch(i, k)] }))
      if (k % 20 === 5 * i) {
        socket.send(JSON.stringify({ type: 'reconnect', protocolVersion: 2,
          lastTimestamp: k }))
      }
    })
    if (k % 3 === 0) await sleep(1)
  }
  await until('all are told of all', () =>
    all.every(c => c.frames.some(f => f.timestamp === 4 * n)))
  const rooms = all.map(({ frames }, i) => {
    const room = {}
    let at = 0
    for (const f of frames) {
      if (f.type !== 'ack' && f.type !== 'patch') continue
      // The answer to a reconnect may bring several at once, or none
      if (f.clientId === '') assert.ok(f.timestamp >= at)
      else assert.strictEqual(f.timestamp, at + 1)
      at = f.timestamp
      const patches = f.type === 'ack' ? [patch(i, +f.messageId)]
        : f.documentPatches
      for (const p of patches) {
        for (const [key, c] of Object.entries(p)) {
          room[key] = { ...room[key], ...c }
        }
      }
    }
    return room
  })
  const [whole] = await reconnect(0)
  for (const room of rooms) {
    assert.deepStrictEqual(room, whole.documentPatches[0])
  }
  for (const c of all) c.socket.close()
})

// A connection without the client.
function raw (id, room = 'room') {
  return new Promise((resolve, reject) => {
    const c = { frames: [] }
    c.socket = new WebSocket(`${relay.canvas}?roomId=${room}` +
      `&clientId=${id}&token=${relay.token({})}`, { maxPayload: 1 << 28 })
    c.socket.on('error', reject)
    c.socket.on('message', data => {
      c.frames.push(JSON.parse(data))
      resolve(c)
    })
  })
}

// What one that comes for it is answered to a reconnect.
async function reconnect (lastTimestamp) {
  const c = await raw('reconnect')
  c.socket.send(JSON.stringify({ type: 'reconnect', lastTimestamp,
    protocolVersion: 2 }))
  await until('an answer', () => c.frames.some(f => f.type === 'synced'), 60000)
  c.socket.close()
  return c.frames.filter(f => f.type !== 'clientCount')
}
