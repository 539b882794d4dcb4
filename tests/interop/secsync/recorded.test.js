'use strict'
// What npm secsync-server was told and said, case by case: ours says the same,
// or what the table below has.  Frames are sent in their order; what is to be
// said before the next one is waited for.

const assert = require('node:assert')
const fs = require('node:fs')
const path = require('node:path')
const test = require('node:test')
const { until, sleep, WebSocket } = require('./client')
const { Relay } = require('../relay')

const vectors = process.env.QUIRE_SHARED &&
  path.join(process.env.QUIRE_SHARED, 'protocols/vectors/secsync')
const there = Boolean(vectors) && fs.existsSync(vectors)
const files = there
  ? fs.readdirSync(vectors).filter(f => /-.*\.json$/.test(f)) : []

const seen = 'ephemeral-message'

// What theirs was set to.
const settings = {
  'real-17-requires-new-snapshot': ['secsync_updates_max 5'],
  'write-18-requires-new-snapshot': ['secsync_updates_max 5']
}

// Clients that go on from what the server did and when: stress.test.js has such.
const live = ['real-19-soak', 'restart-03-real-clients']

// Where the original failed: what is said on that connection at that time, or
// null, nothing.
const better = {
  'hz-04-cross-document-snapshot': {
    '1 131': () => null,
    '2 131': () => ({ type: 'snapshot-save-failed' }),
    '3 139': r => ({ type: 'document', updates: [], snapshotProofChain: [],
      snapshot: JSON.parse(r.connections[0].frames[2].text) })
  },
  'hz-06-cross-document-ephemeral': { '1 16': () => null },
  'hz-08-first-snapshot-with-parent': {
    '0 13': () => ({ type: 'snapshot-save-failed' })
  }
}

let relay

// One connection of a recording.
class Line {
  constructor (recorded) {
    const url = new URL(recorded.url)
    const claims = said(url)
    this.seconds = claims ? claims.exp - claims.iat : Infinity
    this.begun = recorded.frames[0].t
    this.address = url.pathname + (claims ? token(url, claims, this.seconds)
      : url.search)
    this.minted = Date.now()
    this.said = []
    this.closed = false
  }

  open () {
    this.socket = new WebSocket(relay.secsync + this.address)
    this.socket.on('message', data => this.said.push(JSON.parse(data)))
    this.socket.on('close', () => { this.closed = true })
    this.socket.on('error', () => {})
    return until('open', () => this.socket.readyState !== 0)
  }

  // Tokens that had expired by then have done so now.
  async ended (t) {
    if (t - this.begun > this.seconds * 1000) {
      const end = this.minted + (Math.max(this.seconds, 1) + 1) * 1000
      await sleep(Math.max(end - Date.now(), 0))
    }
  }

  // What is seen and not stored has no place in the order of the rest.
  async next (type, what) {
    const fits = m => (m.type === seen) === (type === seen)
    await until(what, () => this.said.some(fits), () => type, 10000)
    return this.said.splice(this.said.findIndex(fits), 1)[0]
  }
}

// What their token says, if anything could be made of it.
function said (url) {
  const payload = url.searchParams.get('sessionKey')?.split('.')[1]
  const claims = payload && JSON.parse(Buffer.from(payload, 'base64url'))
  return claims?.secsync.doc ? claims : undefined
}

// The same query with a token of ours that says the same.
function token (url, { secsync }, seconds) {
  return url.search.replace(url.searchParams.get('sessionKey'),
    relay.token({ secsync }, 'write', Math.max(seconds, 1)))
}

// By time; at the same time what is a cause goes first.
function order (recording) {
  const rank = ({ dir, text }) => dir === 'open' ? 0
    : dir === 'c2s' ? 2 : dir === 'close' ? 4
      : JSON.parse(text).type === 'document' ? 1 : 3
  const lines = recording.connections.map(c => ({ line: new Line(c),
    frames: c.frames.slice() }))
  const all = []
  for (;;) {
    const next = lines.filter(l => l.frames.length > 0).sort((a, b) =>
      a.frames[0].t - b.frames[0].t || rank(a.frames[0]) - rank(b.frames[0]))[0]
    if (next === undefined) return all
    const frame = next.frames.shift()
    all.push({ ...frame, line: next.line,
      at: `${lines.indexOf(next)} ${frame.t}` })
  }
}

async function replay (recording) {
  const events = order(recording)
  for (const [i, event] of events.entries()) {
    for (const { line } of events) await line.ended(event.t)
    await step(event, better[recording.case] || {}, recording)
    if (event.dir === 'close' && answered(events.slice(i), event.line)) {
      event.line.said = []
    }
  }
  for (const { line } of events) assert.deepStrictEqual(line.said, [])
}

// Who leaves may still have been told of what another sent just before: there
// is an answer to that one to come.
function answered (events, line) {
  return events.find(e => e.line !== line)?.dir === 's2c'
}

async function step ({ dir, text, line, at, code }, instead, all) {
  if (dir === 'open') {
    await line.open()
  } else if (dir === 'c2s') {
    line.socket.send(text)
  } else if (dir === 's2c') {
    const want = at in instead ? instead[at](all) : JSON.parse(text)
    if (want === null) return
    assert.deepStrictEqual(await line.next(want.type, at), want, at)
  } else if (line.socket) {
    if (code === 1006 && !line.closed) {
      await relay.killBroker()
      await relay.startBroker()
    } else {
      line.socket.close()
    }
    await until(`closed, ${at}`, () => line.closed)
  }
}

test('what the original was told', { skip: !there && 'no recordings here' },
  async t => {
    for (const file of files) {
      const recording = JSON.parse(fs.readFileSync(path.join(vectors, file)))
      const skip = live.includes(recording.case) && 'clients of their time'
      await t.test(recording.case, { skip }, async () => {
        // Theirs takes all connections along when it ends
        relay = await Relay.start([...settings[recording.case] || [],
          'broker_wait_ms 0'])
        try {
          await replay(recording)
        } finally {
          await relay.stop()
        }
      })
    }
  })
