'use strict'
// original.js memory|sqlite FILE: npm secsync-server 0.5 with a backend that does
// what its example does, less the database server.  Writes its port.

const http = require('node:http')
const path = require('node:path')
const npm = path.join(__dirname, '../../interop/secsync/node_modules')
const { createWebSocketConnection } = require(`${npm}/secsync-server`)
const { WebSocketServer } = require(`${npm}/ws`)

class Memory {
  constructor () {
    this.snapshot = undefined
    this.updates = []
  }

  putSnapshot (snapshot) {
    this.snapshot = snapshot
    this.updates = []
  }

  putUpdate (update) {
    this.updates.push(update)
  }
}

// One durable commit for each change, as acknowledging demands.
class Sqlite {
  constructor (file) {
    const Database = require('better-sqlite3')
    this.db = new Database(file)
    this.db.pragma('journal_mode = WAL')
    this.db.pragma('synchronous = FULL')
    this.db.exec(`create table snapshots (n integer primary key, data text);
      create table updates (n integer primary key, snapshot text, key text,
        clock integer, data text, unique (snapshot, key, clock))`)
    this.addSnapshot = this.db.prepare('insert into snapshots (data) values (?)')
    this.addUpdate = this.db.prepare('insert into updates ' +
      '(snapshot, key, clock, data) values (?, ?, ?, ?)')
    this.last = this.db.prepare(
      'select data from snapshots order by n desc limit 1')
    this.all = this.db.prepare(
      'select data from updates where snapshot = ? order by n')
  }

  putSnapshot (snapshot) {
    this.addSnapshot.run(JSON.stringify(snapshot))
  }

  putUpdate (update) {
    const p = update.publicData
    this.addUpdate.run(p.refSnapshotId, p.pubKey, p.clock,
      JSON.stringify(update))
  }

  get snapshot () {
    const row = this.last.get()
    return row && JSON.parse(row.data)
  }

  get updates () {
    const { snapshot } = this
    return snapshot === undefined ? [] :
      this.all.all(snapshot.publicData.snapshotId).map(r => JSON.parse(r.data))
  }
}

const store = process.argv[2] === 'sqlite' ? new Sqlite(process.argv[3]) :
  new Memory()
const clocks = new Map()
const serve = createWebSocketConnection({
  getDocument: async () => ({ snapshot: store.snapshot, updates: store.updates,
    snapshotProofChain: [] }),
  createSnapshot: async ({ snapshot }) => {
    store.putSnapshot(snapshot)
    return snapshot
  },
  createUpdate: async ({ update }) => {
    const { pubKey, clock } = update.publicData
    if (clock !== (clocks.get(pubKey) ?? -1) + 1) throw new Error('clock')
    store.putUpdate(update)
    clocks.set(pubKey, clock)
    return update
  },
  hasAccess: async () => true,
  hasBroadcastAccess: async ({ websocketSessionKeys }) =>
    websocketSessionKeys.map(() => true)
})
const server = http.createServer()
new WebSocketServer({ server }).on('connection', serve)
server.listen(0, '127.0.0.1', () => console.log(server.address().port))
