'use strict'
// A client as sds.md, section 10, describes the real one: its provider, which
// knows frames, and its engine, here over a Yjs document.  The socket is the one
// that Node 22 has built in.

const { WebSocket } = require('undici')
const yjs = require('yjs')

const CHUNK_BYTES = 1 << 20
const types = { patch: 1, value: 2, request: 3, presence: 4, chunk: 5, sync: 6 }

const uint32 = (...numbers) => {
  const b = Buffer.alloc(4 * numbers.length)
  numbers.forEach((n, i) => b.writeUInt32BE(n, 4 * i))
  return b
}

// Reconnects for ever and at once, sends only while open, trusts every frame.
// Where the connection is refused, or the upgrade, there is an error and no close,
// and then this client does what the real one does: nothing, for ever.
class Provider {
  // url, store, token; delay: milliseconds until it comes again
  constructor ({ url, store, token, delay = 20 }) {
    this.url = `${url.replace(/\/+$/, '')}/ws/${store}` +
      `?token=${encodeURIComponent(token)}`
    this.delay = delay
    this.frames = []
    this.values = new Map()
    this.peers = new Map()
    this.parts = new Map()
    this.closes = []
    this.connections = 0
    this.state = 'idle'
  }

  connect () {
    this.wanted = true
    this.state = 'connecting'
    const socket = this.socket = new WebSocket(this.url)
    socket.binaryType = 'arraybuffer'
    return new Promise((resolve, reject) => {
      socket.onopen = () => {
        this.state = 'open'
        this.connections++
        this.opened?.()
        resolve()
      }
      socket.onerror = () => reject(new Error('no connection'))
      socket.onmessage = ({ data }) => this.heard(Buffer.from(data))
      socket.onclose = ({ code, reason }) => {
        this.closes.push([code, reason])
        this.state = 'closed'
        if (this.wanted) {
          setTimeout(() => this.wanted && this.connect().catch(() => {}),
            this.delay)
        }
      }
    })
  }

  disconnect () {
    this.wanted = false
    this.socket?.close()
  }

  send (type, ...parts) {
    if (this.state !== 'open') return false
    this.socket.send(Buffer.concat([Buffer.from([type]), ...parts]))
    return true
  }

  sendValue (hash, data) {
    if (data.length <= CHUNK_BYTES) return this.send(types.value, hash, data)
    const total = Math.ceil(data.length / CHUNK_BYTES)
    for (let i = 0; i < total; i++) {
      this.send(types.chunk, hash, uint32(i, total),
        data.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES))
    }
    return true
  }

  requestValue (hash) {
    return this.send(types.request, hash)
  }

  sendPresence (state) {
    return this.send(types.presence, Buffer.from(JSON.stringify(state)))
  }

  heard (frame) {
    const [type] = frame
    const hash = frame.subarray(1, 33).toString('hex')
    this.frames.push(type)
    if (type === types.patch) this.patched?.(frame.subarray(1))
    if (type === types.value) this.values.set(hash, frame.subarray(33))
    if (type === types.chunk) this.gather(hash, frame)
    if (type === types.presence) this.met(frame.subarray(1))
    if (type === types.sync) this.asked?.()
  }

  // The first total counts; an index beyond it is the end of a real client.
  gather (hash, frame) {
    const index = frame.readUInt32BE(33)
    if (!this.parts.has(hash)) {
      this.parts.set(hash, { total: frame.readUInt32BE(37), list: [], have: 0 })
    }
    const part = this.parts.get(hash)
    if (index >= part.total) throw new RangeError('chunk out of range')
    if (!part.list[index]) part.have++
    part.list[index] = frame.subarray(41)
    if (part.have < part.total) return
    this.parts.delete(hash)
    this.values.set(hash, Buffer.concat(part.list))
  }

  met (json) {
    const state = JSON.parse(json)
    if (typeof state.PeerId === 'string') this.peers.set(state.PeerId, state)
  }
}

// Edits made while away wait; on every connection they go first, then SYNC_REQ.
class Engine extends Provider {
  constructor (options) {
    super(options)
    this.doc = new yjs.Doc()
    this.entries = this.doc.getMap('Entries')
    this.queue = []
    this.doc.on('update', (update, origin) => {
      if (origin !== this && !this.send(types.patch, update)) {
        this.queue.push(update)
      }
    })
  }

  opened () {
    for (const update of this.queue.splice(0)) this.send(types.patch, update)
    this.send(types.sync, yjs.encodeStateVector(this.doc))
  }

  patched (update) {
    yjs.applyUpdate(this.doc, update, this)
  }

  // The whole state, to everybody, a little later.
  asked () {
    setTimeout(() => this.send(types.patch,
      yjs.encodeStateAsUpdate(this.doc)), 5 + Math.random() * 20)
  }

  // An item and its label are two PATCHes in the same millisecond.
  item (id, label) {
    this.entries.set(id, new yjs.Map([['Kind', 'item']]))
    this.entries.get(id).set('Label', label)
  }

  get labels () {
    return Object.fromEntries([...this.entries].map(([id, entry]) =>
      [id, entry.get('Label')]).sort())
  }

  get bytes () {
    return Buffer.from(yjs.encodeStateAsUpdate(this.doc)).toString('hex')
  }
}

// WebRTC's part that the relay sees: who is there, and who wants to talk.
class Signaller {
  constructor ({ url, store, token, id }) {
    this.id = id
    this.heard = []
    this.socket = new WebSocket(
      `${url}/signal/${store}?token=${encodeURIComponent(token)}`)
    this.socket.onmessage = ({ data }) => this.take(JSON.parse(data))
    this.open = new Promise((resolve, reject) => {
      this.socket.onopen = () => {
        this.say({ type: 'hello', from: id })
        resolve()
      }
      this.socket.onerror = reject
    })
  }

  say (message) {
    this.socket.send(JSON.stringify(message))
  }

  take ({ type, from, to }) {
    if (to !== undefined && to !== this.id) return
    const answer = { hello: 'offer', offer: 'answer', answer: 'candidate' }[type]
    this.heard.push(`${type} ${from}`)
    if (answer) this.say({ type: answer, from: this.id, to: from, sdp: 'ü' })
  }

  close () {
    this.socket.close()
  }
}

module.exports = { CHUNK_BYTES, Engine, Provider, Signaller, types, yjs }
