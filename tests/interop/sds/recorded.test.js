'use strict'
// What the original server was told and said, message by message and with the
// requests as they were: ours says the same, or what the table below has.  Tokens
// are made again with the same secret and claims, for those have expired.

const assert = require('node:assert')
const { createHash } = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const test = require('node:test')
const { Raw, frame, jwt } = require('./raw')
const { Relay } = require('../relay')

const secret = 'conformance-secret-0123456789-abcdefghij'
const vectors = process.env.QUIRE_SHARED &&
  path.join(process.env.QUIRE_SHARED, 'protocols/vectors/sds')
const there = Boolean(vectors) && fs.existsSync(vectors)
const files = there
  ? fs.readdirSync(vectors).filter(f => f.endsWith('.hex')) : []
const opcodes = { text: 1, bin: 2, close: 8 }

// Where the original lost or confused something: what a client is told instead
// of all that it was, or (more) behind it, made of what all have sent.
const better = {
  // Text on /signal stays text.
  'persist-40-signal': { sigY: ({ sigX }) => sigX },
  'relay-40-signal': { sigY: ({ sigX }) => sigX },
  // Who asks for a value that is there is answered, and nobody else hears it.
  'persist-21-provider-values': { A: () => [],
    more: { B: ({ A }) => [A[0]] } },
  // A value erases no patch, and both values are there.
  'persist-51-replay-order': { L: ({ W: [one, a, two, b0, b1, three] }) =>
    [a, bin(2, b0.payload.subarray(1, 33), b0.payload.subarray(41),
      b1.payload.subarray(41)), one, two, three] },
  'persist-52-replay-after-large-value': { B: ({ A }) =>
    [A[4], A[1], A[2], A[3]] },
  // A burst is stored whole.
  'persist-53-replay-burst': { L: ({ W }) => W }
}

const bin = (...parts) => ({ kind: 'bin', payload: Buffer.concat(
  parts.map(p => typeof p === 'number' ? Buffer.from([p]) : p)) })

function read (file) {
  return fs.readFileSync(path.join(vectors, file), 'utf8').split('\n')
    .filter(l => l !== '' && !l.startsWith('#')).map(l => {
      const [client, dir, kind, ...more] = l.split(/ +/)
      const hex = kind === 'http' ? more[0] : more[1]
      return { client, dir, kind, payload: octets(hex, l) }
    })
}

// Long ones are given by their beginning, length, digest and end, and repeat one
// octet.
function octets (hex = '', line) {
  const [, begin, n, digest, end] = /^[^ ]+ . \w+ \d+ (\w+)…\[(\d+) bytes, sha256 (\w+)\]…(\w+)/
    .exec(line) || []
  if (begin === undefined) return Buffer.from(hex, 'hex')
  const whole = Buffer.alloc(Number(n), end.slice(0, 2), 'hex')
  whole.set(Buffer.from(begin, 'hex'))
  assert.strictEqual(createHash('sha256').update(whole).digest('hex'), digest)
  return whole
}

// Every token in it that we could have made, anew and without an end.
function renewed (text) {
  return text.replace(/eyJ[\w-]+\.(eyJ[\w-]+)\.[\w-]+/g, (_, claims) => {
    const { exp, ...more } = JSON.parse(Buffer.from(claims, 'base64url'))
    return jwt(secret, more)
  })
}

class Line {
  constructor (relay) {
    this.raw = new Raw(relay.port)
    this.said = []
  }

  async open (request) {
    this.raw.send(renewed(request.toString('latin1')))
    assert.strictEqual((await this.raw.answer()).status, 101)
    await this.level()
  }

  // All that was sent before has been acted upon, and this client is in the room.
  async level () {
    if (this.closed) return
    this.raw.send(frame(9, 'level'))
    for (;;) {
      const f = await this.raw.frame()
      if (f.opcode === 10) return
      this.said.push(f)
    }
  }

  async next () {
    return this.said.length > 0 ? this.said.shift() : this.raw.frame()
  }
}

async function play (relay, events, instead = {}) {
  const lines = new Map()
  const sent = {}
  for (const { client, dir, kind, payload } of events) {
    const line = lines.get(client)
    if (kind === 'http' && dir === '>') {
      for (const other of lines.values()) await other.level()
      lines.set(client, new Line(relay))
      await lines.get(client).open(payload)
    } else if (kind !== 'http' && dir === '>') {
      if (kind === 'close') {
        await tell(line, (instead[client] ?? instead.more?.[client])?.(sent))
        line.closed = true
      } else {
        sent[client] = [...(sent[client] || []), { kind, payload }]
      }
      line.raw.send(frame(opcodes[kind], payload))
    } else if (kind === 'close' || (kind !== 'http' && !instead[client])) {
      same(await line.next(), { kind, payload })
    }
  }
  for (const { said, raw } of lines.values()) {
    assert.deepStrictEqual(said, [])
    raw.close()
  }
}

async function tell (line, messages = []) {
  for (const message of messages) same(await line.next(), message)
  await line.level()
}

function same ({ opcode, payload }, want) {
  assert.strictEqual(opcode, opcodes[want.kind])
  assert.ok(payload.equals(want.payload), `${brief(payload)}, not ${
    brief(want.payload)}`)
}

const brief = b => `${b.length} octets ${b.subarray(0, 40).toString('hex')}`

// Whole TCP connections, each a request and its answer.
async function exchange (relay, [{ payload }, { payload: answer }]) {
  const raw = new Raw(relay.port)
  try {
    raw.send(renewed(payload.toString('latin1')))
    const [head, body = ''] = answer.toString('latin1').split('\r\n\r\n')
    if (!/^date:/mi.test(head)) {
      await raw.until(() => raw.gather() || raw.in.length >= answer.length ||
        undefined, 'answer')
      assert.strictEqual(raw.in.toString('latin1'), answer.toString('latin1'))
      return
    }
    const got = await raw.answer()
    assert.strictEqual(got.line, head.split('\r\n')[0])
    for (const name of ['content-type', 'connection']) {
      const [, value] = new RegExp(`^${name}: (.*)$`, 'mi').exec(head)
      assert.strictEqual(got.head[name], value)
    }
    assert.strictEqual(shape(got.body), shape(body))
  } finally {
    raw.close()
  }
}

// A token by what it says, its times by their distance.
function shape (body) {
  return body.replace(/(eyJ[\w-]+)\.(eyJ[\w-]+)\.[\w-]+/, (_, head, claims) => {
    const { iat, exp, ...more } = JSON.parse(Buffer.from(claims, 'base64url'))
    return JSON.stringify([head, more, exp - iat])
  })
}

test('what the original was told', { skip: !there && 'no recordings here' },
  async t => {
    for (const file of files) {
      const name = file.replace('.hex', '')
      await t.test(name, async () => {
        const relay = await Relay.start([`sds_persist ${
          name.startsWith('relay') ? 'no' : 'yes'}`], secret)
        try {
          const events = read(file)
          if (events[0].kind !== 'raw') {
            await play(relay, events, better[name])
          }
          for (let i = 0; events[0].kind === 'raw' && i < events.length;
            i += 2) await exchange(relay, events.slice(i, i + 2))
        } finally {
          await relay.stop()
        }
      })
    }
  })
