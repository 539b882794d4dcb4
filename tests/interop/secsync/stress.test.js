'use strict'
// Section 7 of the specification: over slow lines that break, with snapshots
// that race updates and sometimes one author in two places, not one keystroke
// may be lost.

const assert = require('node:assert')
const test = require('node:test')
const { Client, until, sleep, sodium, yjs } = require('./client')
const { Proxy } = require('./proxy')
const { Relay } = require('../relay')

const ROUNDS = Number(process.env.ROUNDS) ||
  (process.env.QUIRE_LONG ? 160 : 16)
const AT_ONCE = 8
const WORDS = 25

// The same numbers for the same round, so that one can be played again.
function randomFrom (seed) {
  let x = seed * 2654435761 >>> 0 || 1
  return max => {
    x ^= x << 13; x >>>= 0
    x ^= x >>> 17
    x ^= x << 5; x >>>= 0
    return x % max
  }
}

class Typist {
  static async start (relay, documentId, token, random, keys) {
    const t = new Typist()
    t.random = random
    const latency = random(121)
    t.proxy = await Proxy.start(relay.port, () => latency + random(5))
    t.latency = latency
    t.calm = true
    t.words = []
    t.client = new Client({
      url: `ws://127.0.0.1:${t.proxy.port}/secsync`,
      documentId,
      token,
      keys,
      wantsSnapshot: () => !t.calm && random(12) === 0
    })
    t.client.connect()
    return t
  }

  loaded () {
    return until('loaded', () => this.client.loaded,
      () => this.client.state())
  }

  // The client forgets what is in a snapshot that was never answered, so there is
  // none while the line breaks.
  async cut () {
    this.calm = true
    await until('without a snapshot under way',
      () => this.client.context._snapshotInFlight === null &&
        this.client.is({ connected: 'idle' }), () => this.client.state())
    this.proxy.cut()
    await until('aware of it', () => !this.client.loaded)
    await this.loaded()
    this.calm = false
  }

  async write (name) {
    const pause = [0, 3, 20, 60][this.random(4)]
    const breaks = this.random(3) === 0 ? -1 : this.random(WORDS)
    let cut
    this.calm = false
    for (let i = 0; i < WORDS; i++) {
      const word = `${name}${i} `
      this.words.push(word)
      this.client.type(word)
      if (i === breaks) cut = this.cut()
      await sleep(this.random(2 * pause + 1))
    }
    await cut
    this.calm = true
  }

  stop () {
    this.client.close()
    this.proxy.stop()
  }
}

function bytes (client) {
  return Buffer.from(yjs.encodeStateAsUpdate(client.doc))
}

async function round (relay, token, number) {
  const all = []
  try {
    await play(relay, token, number, all)
  } finally {
    for (const t of all) t.stop()
  }
}

async function play (relay, token, number, all) {
  const random = randomFrom(number + 1)
  const documentId = `doc${number}`
  const a = await Typist.start(relay, documentId, token, random)
  all.push(a)
  await a.loaded()
  a.client.type('begin ')
  const b = await Typist.start(relay, documentId, token, random,
    random(4) === 0 ? a.client.keys : undefined)
  all.push(b)
  await b.loaded()
  const describe = () => [`round ${number}`, ...all.map(t =>
    `latency ${t.latency} ${t.client.state()} missing ${missing(t, all)}`)]
    .join('\n')
  await Promise.all([a.write('a'), b.write('b')])
  await until('saved and the same', () => all.every(t => t.client.saved) &&
    bytes(a.client).equals(bytes(b.client)), describe, 60000)
  const late = await Typist.start(relay, documentId, token, () => 0)
  all.push(late)
  await late.loaded()
  for (const t of all) assert.equal(missing(t, all).length, 0, describe())
}

function missing (typist, all) {
  const text = typist.client.text.toString()
  return all.flatMap(t => t.words).filter(w => !text.includes(w))
}

test(`${ROUNDS} rounds lose nothing that was typed`, async () => {
  await sodium.ready
  const relay = await Relay.start()
  const token = relay.token()
  let next = Number(process.env.FIRST) || 0
  const end = next + ROUNDS
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, async () => {
      while (next < end) await round(relay, token, next++)
    }))
  } finally {
    await relay.stop()
  }
})
