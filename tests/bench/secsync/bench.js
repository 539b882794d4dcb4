'use strict'
// Updates a second, verified and durable, and the time in which a document comes:
// the relay beside the original.  The same signed messages for all of them.

const crypto = require('node:crypto')
const { execFile, spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { Relay } = require('../../interop/relay')
const npm = path.join(__dirname, '../../interop/secsync/node_modules')
const { WebSocket } = require(`${npm}/ws`)

const NONCE = 'A'.repeat(32)
const FIRST = 'k_CZR7BveaeM7FOc0TYtEtTtTi0ElwG9XrDVLxb9tR0'
const b64 = data => Buffer.from(data).toString('base64url')

class Author {
  constructor () {
    const pair = crypto.generateKeyPairSync('ed25519')
    this.privateKey = pair.privateKey
    this.pubKey = pair.publicKey.export({ format: 'jwk' }).x
    this.clock = 0
  }

  // publicData: members in canonical order
  sign (domain, publicData) {
    const ciphertext = b64(crypto.randomBytes(200))
    const text = `${domain}{"ciphertext":"${ciphertext}","nonce":"${NONCE}",` +
      `"publicData":"${b64(JSON.stringify(publicData))}"}`
    return JSON.stringify({ ciphertext, nonce: NONCE, publicData,
      signature: b64(crypto.sign(null, Buffer.from(text), this.privateKey)) })
  }

  snapshot () {
    return this.sign('secsync_snapshot', { docId: 'doc', parentSnapshotId: '',
      parentSnapshotProof: FIRST, parentSnapshotUpdateClocks: {},
      pubKey: this.pubKey, snapshotId: 'first' })
  }

  update () {
    return this.sign('secsync_update', { clock: this.clock++, docId: 'doc',
      pubKey: this.pubKey, refSnapshotId: 'first' })
  }
}

function connect (url) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(url, { maxPayload: 1 << 30 })
    socket.on('error', reject)
    socket.once('message', data => resolve([socket, data]))
  })
}

// Sends one after the other, each when the last is acknowledged.
async function write (url, messages) {
  const [socket] = await connect(url)
  return {
    run: () => new Promise((resolve, reject) => {
      let next = 0
      socket.on('message', data => {
        if (!data.toString('latin1', 0, 64).includes('-saved"')) return
        if (++next === messages.length) resolve(socket.close())
        else socket.send(messages[next])
      })
      socket.on('close', () => reject(new Error('closed')))
      socket.send(messages[0])
    })
  }
}

async function all (url, lists) {
  const writers = await Promise.all(lists.map(l => write(url, l)))
  const begin = performance.now()
  await Promise.all(writers.map(w => w.run()))
  return performance.now() - begin
}

const servers = {
  quire: async () => {
    const relay = await Relay.start(['secsync_updates_max 1000000',
      'secsync_rate_max 0'])
    return { url: `${relay.secsync}/doc?sessionKey=${relay.token()}`,
      stop: () => relay.stop() }
  },
  memory: () => original('memory'),
  sqlite: () => original('sqlite')
}

async function original (backend) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'quire.'))
  const child = spawn(process.execPath, [path.join(__dirname, 'original.js'),
    backend, path.join(dir, 'db')], { stdio: ['ignore', 'pipe', 'ignore'] })
  const port = await new Promise((resolve, reject) => {
    child.stdout.once('data', resolve)
    child.once('exit', () => reject(new Error(`${backend}: cannot be had`)))
  })
  return { url: `ws://127.0.0.1:${Number(port)}/doc?sessionKey=x`,
    stop: () => { child.kill(); fs.rmSync(dir, { recursive: true }) } }
}

// Each in a process of its own, so that none waits for another's leftovers.
function alone (server, words) {
  return new Promise(resolve => execFile(process.execPath,
    [__filename, server, ...words], { timeout: 300000 },
    (error, text) => resolve(error ? NaN : Number(text))))
}

// higher: whether more is better.
async function beside (name, unit, higher, ...words) {
  let quire
  for (const server of Object.keys(servers)) {
    const v = await alone(server, words)
    if (server === 'quire') quire = v
    const ratio = higher ? quire / v : v / quire
    console.log(`${name} server=${server} ${unit}=${v.toFixed(1)}` +
      (server === 'quire' ? '' : ` quire_is_better_by=${ratio.toFixed(2)}`))
  }
}

function messages (authors, each) {
  return Array.from({ length: authors }, () => {
    const author = new Author()
    return Array.from({ length: each }, () => author.update())
  })
}

async function updates (url, authors, each) {
  const lists = messages(authors, each)
  await all(url, [[new Author().snapshot()]])
  return authors * each / (await all(url, lists)) * 1000
}

async function opening (url, count) {
  const authors = Math.max(4, count / 1000)
  const lists = messages(authors, count / authors)
  await all(url, [[new Author().snapshot()]])
  for (let i = 0; i < authors; i += 4) await all(url, lists.slice(i, i + 4))
  const times = []
  for (let i = 0; i < 5; i++) {
    const begin = performance.now()
    const [socket, data] = await connect(url)
    times.push(performance.now() - begin)
    const got = JSON.parse(data).updates.length
    if (got !== count) throw new Error(`${got} updates came`)
    socket.terminate()
  }
  return times.sort((a, b) => a - b)[2]
}

async function one (server, kind, ...numbers) {
  const { url, stop } = await servers[server]()
  const value = { updates, opening }[kind]
  console.log(await value(url, ...numbers.map(Number)))
  await stop()
}

async function main () {
  for (const [writers, each] of [[1, 500], [8, 250], [64, 60]]) {
    await beside(`updates writers=${writers}`, 'updates_per_s', true,
      'updates', writers, each)
  }
  for (const count of [1000, Number(process.env.LARGE) || 100000]) {
    await beside(`open updates=${count}`, 'ms', false, 'opening', count)
  }
}

const [server, ...words] = process.argv.slice(2)
const done = server === undefined ? main() : one(server, ...words)
done.then(() => process.exit(0))
