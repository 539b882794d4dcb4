'use strict'
// The unmodified secsync 0.5 client over a Yjs document, bound as
// secsync-react-yjs binds it.

const sodium = require('libsodium-wrappers')
const { createActor } = require('xstate')
const {
  createSyncMachine, deserializeUint8ArrayUpdates, serializeUint8ArrayUpdates
} = require('secsync')
const yjs = require('yjs')
const { WebSocket } = require('ws')

const key = Buffer.alloc(32, 7)
const REMOTE = 'secsync-remote'
const clients = new Map()

// What the client finds as the browser's WebSocket, whose events come one at a
// time: the client reads `document' in two steps, and an update in between would
// be too early.  The name before the @ says whose it is; every frame is kept
// there by its type.
globalThis.WebSocket = class extends WebSocket {
  constructor (address) {
    const url = new URL(address)
    const client = clients.get(url.username)
    url.username = ''
    super(url.href, { allowSynchronousEvents: false })
    this.client = client
    client.socket = this
    this.addEventListener('message', ({ data }) => {
      client.frames.push(JSON.parse(data).type)
      client.heard('<', data)
    })
  }

  send (data) {
    this.client.heard('>', data)
    super.send(data)
  }
}

class Client {
  // url, documentId, token; may be given: keys (a signature key pair),
  // load (loadDocumentParams), wantsSnapshot (a function), more (of the
  // machine's input), publicData (of snapshots)
  constructor (options) {
    this.keys = options.keys || sodium.crypto_sign_keypair()
    this.author = sodium.to_base64(this.keys.publicKey)
    this.doc = new yjs.Doc()
    this.text = this.doc.getText('text')
    this.ephemeral = []
    this.frames = []
    this.trace = []
    this.snapshots = 0
    this.id = `c${clients.size}`
    clients.set(this.id, this)
    this.actor = createActor(createSyncMachine(), {
      input: this.#input(options)
    })
    this.actor.start()
    this.doc.on('updateV2', (update, origin) => {
      if (origin !== REMOTE) {
        this.actor.send({ type: 'ADD_CHANGES', data: [update] })
      }
    })
  }

  #input (options) {
    return {
      documentId: options.documentId,
      signatureKeyPair: this.keys,
      websocketEndpoint: options.url.replace('://', `://${this.id}@`),
      websocketSessionKey: options.token,
      loadDocumentParams: options.load,
      sodium,
      isValidClient: () => true,
      getSnapshotKey: () => key,
      getNewSnapshotData: () => {
        this.snapshots++
        return { data: yjs.encodeStateAsUpdateV2(this.doc), key,
          publicData: options.publicData || {} }
      },
      applySnapshot: data => yjs.applyUpdateV2(this.doc, data, REMOTE),
      applyChanges: changes => {
        for (const change of changes) {
          yjs.applyUpdateV2(this.doc, change, REMOTE)
        }
      },
      serializeChanges: changes => serializeUint8ArrayUpdates(changes, sodium),
      deserializeChanges: text => deserializeUint8ArrayUpdates(text, sodium),
      applyEphemeralMessage: data => {
        this.ephemeral.push(Buffer.from(data).toString())
      },
      shouldSendSnapshot: options.wantsSnapshot || (() => false),
      logging: 'off',
      ...options.more
    }
  }

  type (word) {
    this.text.insert(this.text.length, word)
  }

  say (word) {
    this.actor.send({ type: 'ADD_EPHEMERAL_MESSAGE', data: Buffer.from(word) })
  }

  get context () {
    return this.actor.getSnapshot().context
  }

  is (state) {
    return this.actor.getSnapshot().matches(state)
  }

  // What an application would keep to load less the next time.
  get known () {
    return this.context._snapshotInfosWithUpdateClocks.at(-1)
  }

  get loaded () {
    return this.context._documentDecryptionState === 'complete'
  }

  // Everything that was typed here is acknowledged.  An update that was refused
  // because a new snapshot is due stays in the client's list though the snapshot
  // holds it.
  get saved () {
    const c = this.context
    const snapshotId = this.known?.snapshotId
    return this.is({ connected: 'idle' }) && c._snapshotInFlight === null &&
      c._updatesInFlight.every(u => u.snapshotId !== snapshotId) &&
      c._pendingChangesQueue.length === 0
  }

  get errors () {
    return this.context._snapshotAndUpdateErrors.filter(e => e).map(e =>
      e.message)
  }

  heard (way, data) {
    this.trace.push(`\n${Date.now() % 100000} ${way} ${brief(JSON.parse(data))}`)
  }

  // For the report of a failure.
  state () {
    const c = this.context
    return JSON.stringify([this.actor.getSnapshot().value, this.errors,
      c._documentDecryptionState, c._incomingQueue.length,
      c._pendingChangesQueue.length, c._updatesInFlight.map(u => u.clock),
      c._snapshotInFlight !== null]) + this.trace.slice(-60).join('')
  }

  connect () {
    this.actor.send({ type: 'CONNECT' })
  }

  disconnect () {
    this.actor.send({ type: 'DISCONNECT' })
  }

  close () {
    this.actor.send({ type: 'DISCONNECT' })
    this.actor.stop()
    this.socket?.terminate()
    this.doc.destroy()
  }
}

// A message in a few words.
function brief (m) {
  const p = m.publicData || {}
  const id = m.snapshotId || p.snapshotId || p.refSnapshotId
  return [m.type, id?.slice(0, 4), m.clock ?? p.clock, p.pubKey?.slice(0, 4),
    p.parentSnapshotId?.slice(0, 4), m.requiresNewSnapshot,
    m.snapshot && brief(m.snapshot), m.updates?.map(brief).join(', ')]
    .filter(word => word !== undefined).join(' ')
}

// Looks again until it is so; 30 seconds, then describe() says what was.
async function until (what, condition, describe = () => '', ms = 30000) {
  const end = Date.now() + ms
  while (!condition()) {
    if (Date.now() > end) throw new Error(`not ${what}: ${describe()}`)
    await sleep(5)
  }
}

function sleep (ms) {
  return new Promise(resolve => setTimeout(resolve, ms))
}

module.exports = { Client, until, sleep, key, sodium, yjs, WebSocket }
