'use strict'
// As much of a Logseq client as the tests of the server need: HTTP, one
// WebSocket, pulls.

const crypto = require('node:crypto')
const path = require('node:path')
const { execFileSync } = require('node:child_process')
const { WebSocket } = require('ws')

const build = path.resolve(process.env.QUIRE_B || '.build')

exports.User = class {
  constructor (relay, name, domain = 'example.org') {
    this.relay = relay
    this.id = crypto.randomUUID()
    this.token = execFileSync(`${build}/quirectl`, ['token', '-k', relay.keys,
      '-s', this.id, '-a', '*', '-S', 'write', '-t', '3600s', '-x',
      JSON.stringify({ dialect: 'logseq', email: `${name}@${domain}`,
        email_verified: true, username: name })]).toString().trim()
  }

  // { status, headers, body }: JSON where it is, else octets
  async http (method, where, body, headers = {}) {
    const url = where.startsWith('http')
      ? where
      : `http://127.0.0.1:${this.relay.port}${where}`
    const json = body !== undefined && !Buffer.isBuffer(body)
    const answer = await fetch(url, {
      method,
      headers: { authorization: `Bearer ${this.token}`,
        ...(json ? { 'content-type': 'application/json' } : {}), ...headers },
      body: json ? JSON.stringify(body) : body
    })
    const octets = Buffer.from(await answer.arrayBuffer())
    const type = answer.headers.get('content-type') ?? ''
    return { status: answer.status, headers: answer.headers,
      body: type.startsWith('application/json')
        ? JSON.parse(octets)
        : octets }
  }

  async graph (name) {
    const { body } = await this.http('POST', '/graphs',
      { 'graph-name': name, 'schema-version': '65', 'graph-e2ee?': false })
    return body['graph-id']
  }

  batch (graph, before, ...txs) {
    return this.http('POST', `/sync/${graph}/tx/batch`,
      { 't-before': before, txs: txs.map((tx) =>
        ({ tx: typeof tx === 'string' ? tx : JSON.stringify(tx),
          'tx-id': crypto.randomUUID() })) }).then(({ body }) => body)
  }

  async download (graph) {
    const { body } = await this.http('GET', `/sync/${graph}/snapshot/download`)
    return this.http('GET', body.url)
  }

  socket (graph) {
    return new Promise((resolve, reject) => {
      const ws = new WebSocket(`ws://127.0.0.1:${this.relay.port}/sync/` +
        `${graph}?token=${encodeURIComponent(this.token)}`)
      ws.on('open', () => resolve(new Socket(ws)))
      ws.on('error', reject)
    })
  }
}

class Socket {
  constructor (ws) {
    this.ws = ws
    this.got = []
    this.wake = () => {}
    ws.on('message', (text) => {
      this.got.push(JSON.parse(text))
      this.wake()
    })
    ws.on('close', () => {
      this.closed = true
      this.wake()
    })
    ws.on('error', () => {})
  }

  say (message) {
    this.ws.send(JSON.stringify(message))
  }

  // The next message of these types; others before it are dropped.
  async next (...types) {
    for (;;) {
      while (this.got.length > 0) {
        const m = this.got.shift()
        if (types.includes(m.type)) return m
      }
      if (this.closed) throw new Error('closed')
      await new Promise((resolve) => { this.wake = resolve })
    }
  }

  async ask (message, ...types) {
    this.say(message)
    return this.next(...types, 'error')
  }

  close () {
    this.ws.close()
  }
}
