'use strict'
// Clients that do not keep up: what a socket has missed when it reads on, and
// lists of users larger than the ring takes.

const { test, before, after } = require('node:test')
const assert = require('node:assert')
const { Relay } = require('../relay.js')
const { User } = require('./client.js')

const RING = 64 * 1024
const ROW = 'x'.repeat(60000)
const ROWS = 17 // a megabyte, which is one answer to a pull
const PULLS = 40 // more than the kernel takes for a client that reads nothing
const NEWS = 2000 // frames, several rings of them

const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const add = (n, a, v) => ['~:db/add', String(n), `~:${a}`, v]
const list = (m) => m['online-users'].map((u) => u['user-id']).sort()

let relay
before(async () => {
  relay = await Relay.start([`ring_bytes ${RING}`, 'write_ms 10m'])
})
after(() => relay.stop())

test('who reads nothing for a while is told how far the graph is and who is ' +
  'here', { timeout: 30000 }, async () => {
  const ann = new User(relay, 'ann')
  const bob = new User(relay, 'bob')
  const graph = await ann.graph('lag')
  await bob.http('GET', '/graphs') // now he is known
  const invited = await ann.http('POST', `/graphs/${graph}/members`,
    { email: 'bob@example.org' })
  assert.strictEqual(invited.status, 200)

  const writer = await ann.socket(graph)
  let t = 0
  const write = async (title) => {
    const m = await writer.ask({ type: 'tx/batch', 't-before': t, txs: [
      { tx: JSON.stringify([add('a', 'block/uuid', `~u${uuid(1)}`),
        add('a', 'block/title', title)]) }] }, 'tx/batch/ok')
    t = m.t
  }
  for (let i = 0; i < ROWS; i++) await write(`${i}${ROW}`)

  const slow = await ann.socket(graph)
  await slow.next('online-users')
  slow.ws.pause()
  for (let i = 0; i < PULLS; i++) slow.say({ type: 'pull', since: 0 })
  for (let i = 0; i < NEWS; i++) {
    writer.say({ type: 'presence', 'editing-block-uuid': uuid(i) })
  }
  await write('the last but one')
  const other = await bob.socket(graph)
  await write('the last')
  slow.ws.resume()

  let pulls = 0
  let seen = 0
  let online = []
  let presence = 0
  while (pulls < PULLS || seen < t || online.length < 2) {
    const m = await slow.next('pull/ok', 'changed', 'online-users', 'presence')
    if (m.type === 'pull/ok') {
      pulls++
      assert.deepStrictEqual(m.txs.map((x) => x.t),
        m.txs.map((x, i) => i + 1))
    }
    if (m.type === 'changed') seen = Math.max(seen, m.t)
    if (m.type === 'online-users') online = list(m)
    presence += m.type === 'presence'
  }
  assert.strictEqual(seen, ROWS + 2)
  assert.deepStrictEqual(online, [ann.id, bob.id].sort())
  assert.ok(presence < NEWS, 'the ring has passed over it')

  // It is level again: it hears of what comes as everybody does.
  writer.say({ type: 'presence', 'editing-block-uuid': uuid(7) })
  for (;;) {
    const m = await slow.next('presence')
    if (m['editing-block-uuid'] === uuid(7)) break
  }
  const rest = await slow.ask({ type: 'pull', since: ROWS }, 'pull/ok')
  assert.deepStrictEqual(rest.txs.map((x) => x.t), [ROWS + 1, ROWS + 2])
  for (const s of [writer, slow, other]) s.close()
})

test('a list of users too large for the ring reaches everybody',
  { timeout: 30000 }, async () => {
  const owner = new User(relay, 'owner')
  const graph = await owner.graph('crowd')
  const users = [owner]
  for (let i = 0; i < 40; i++) {
    const user = new User(relay, `${'long'.repeat(50)}${i}`)
    await user.http('GET', '/graphs')
    const done = await owner.http('POST', `/graphs/${graph}/members`,
      { 'user-id': user.id })
    assert.strictEqual(done.status, 200)
    users.push(user)
  }
  const sockets = []
  for (const user of users) sockets.push(await user.socket(graph))
  const all = users.map((u) => u.id).sort()
  for (const s of sockets) {
    let online = []
    while (online.length < all.length) online = list(await s.next('online-users'))
    assert.deepStrictEqual(online, all)
  }
  for (const s of sockets) s.close()
})
