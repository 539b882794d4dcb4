'use strict'
// Octets to the relay and back: requests, frames, and tokens as anybody's
// library would make them.  Nothing here knows sds.

const { createHash, createHmac } = require('node:crypto')
const net = require('node:net')

const KEY = 'dGhlIHNhbXBsZSBub25jZQ=='
const WAIT_MS = 30000

const base64url = (x) => Buffer.from(x).toString('base64url')

// header and payload: objects, or text that is taken as it is.
function jwt (secret, payload, header = { alg: 'HS256' }, sign = hs256) {
  const text = [header, payload]
    .map(x => base64url(typeof x === 'string' ? x : JSON.stringify(x)))
    .join('.')
  return `${text}.${sign(secret, text)}`
}

function hs256 (secret, text) {
  return createHmac('sha256', secret).update(text).digest('base64url')
}

const accept = (key) => createHash('sha1')
  .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')

function upgrade (target, ...lines) {
  return [`GET ${target} HTTP/1.1`, 'Host: h', 'Connection: Upgrade',
    'Upgrade: websocket', `Sec-WebSocket-Key: ${KEY}`,
    'Sec-WebSocket-Version: 13', ...lines, '', ''].join('\r\n')
}

function frame (opcode, payload, { fin = true, mask = true, rsv = 0 } = {}) {
  const body = Buffer.from(payload)
  const n = body.length
  const size = n < 126 ? Buffer.alloc(0) : Buffer.alloc(n < 65536 ? 2 : 8)
  if (size.length === 2) size.writeUInt16BE(n)
  if (size.length === 8) size.writeBigUInt64BE(BigInt(n))
  const small = n < 126 ? n : n < 65536 ? 126 : 127
  return Buffer.concat([
    Buffer.from([(fin ? 0x80 : 0) | rsv | opcode, (mask ? 0x80 : 0) | small]),
    size, Buffer.alloc(mask ? 4 : 0), body]) // the mask is 0
}

// One TCP connection, read piece by piece; what does not come fails.
class Raw {
  constructor (port) {
    this.in = Buffer.alloc(0)
    this.pieces = []
    this.held = 0 // octets of them
    this.need = 0 // octets that must be there before it is worth a look
    this.ended = false
    this.socket = net.connect(port, '127.0.0.1')
    this.socket.on('data', d => {
      this.pieces.push(d)
      this.held += d.length
      if (this.in.length + this.held >= this.need) this.wake?.()
    })
    for (const event of ['end', 'error', 'close']) {
      this.socket.on(event, () => {
        this.ended = true
        this.need = 0
        this.wake?.()
      })
    }
  }

  send (...pieces) {
    for (const p of pieces) this.socket.write(p)
    return this
  }

  close () {
    this.socket.destroy()
  }

  gather () {
    if (this.in.length + this.held < this.need) return
    this.in = Buffer.concat([this.in, ...this.pieces.splice(0)])
    this.held = this.need = 0
  }

  // what() until it is not undefined
  async until (what, name) {
    const late = Date.now() + WAIT_MS
    for (;;) {
      this.gather()
      const got = what()
      if (got !== undefined) return got
      if (this.ended) throw new Error(`${name}: the connection ended`)
      if (Date.now() > late) throw new Error(`${name}: nothing came`)
      await new Promise(resolve => {
        const timer = setTimeout(resolve, 1000)
        this.wake = () => { clearTimeout(timer); resolve() }
      })
    }
  }

  // An answer: { status, line, head: { name: value }, names, body }
  async answer ({ headOnly = false } = {}) {
    const end = await this.until(() => {
      const at = this.in.indexOf('\r\n\r\n')
      return at === -1 ? undefined : at
    }, 'answer')
    const [line, ...lines] = this.in.subarray(0, end).toString('latin1')
      .split('\r\n')
    const head = {}
    for (const l of lines) {
      const colon = l.indexOf(':')
      head[l.slice(0, colon).toLowerCase()] = l.slice(colon + 1).trim()
    }
    this.in = this.in.subarray(end + 4)
    const status = Number(line.split(' ')[1])
    const n = headOnly || status === 101 ? 0 : Number(head['content-length'])
    const body = await this.until(
      () => this.in.length < n ? undefined : this.in.subarray(0, n), 'body')
    this.in = this.in.subarray(n)
    return { status, line, head, body: body.toString() }
  }

  // A frame: { opcode, fin, payload }
  async frame () {
    return this.until(() => {
      const b = this.in
      if (b.length < 2) return undefined
      let n = b[1] & 0x7f
      let at = 2
      if (n === 126) {
        if (b.length < 4) return undefined
        n = b.readUInt16BE(2)
        at = 4
      } else if (n === 127) {
        if (b.length < 10) return undefined
        n = Number(b.readBigUInt64BE(2))
        at = 10
      }
      this.need = at + n
      if (b.length < this.need) return undefined
      this.need = 0
      this.in = b.subarray(at + n)
      return {
        opcode: b[0] & 15,
        fin: b[0] >> 7 === 1,
        masked: b[1] >> 7 === 1,
        payload: b.subarray(at, at + n)
      }
    }, 'frame')
  }

  async end () {
    await this.until(() => this.ended || undefined, 'end')
    if (this.in.length > 0) throw new Error(`${this.in.length} octets more`)
  }
}

module.exports = { KEY, Raw, accept, base64url, frame, hs256, jwt, upgrade }
