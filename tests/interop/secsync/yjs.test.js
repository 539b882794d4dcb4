'use strict'
// A document of 10,000 Yjs updates by three clients, byte for byte the same in
// all of them and in one that loads it afterwards.

const assert = require('node:assert')
const test = require('node:test')
const { Client, until, sleep, yjs } = require('./client')
const { Relay } = require('../relay')

const UPDATES = 10000

function bytes (client) {
  return Buffer.from(yjs.encodeStateAsUpdate(client.doc))
}

async function edit (client, n, name) {
  for (let i = 0; i < n; i++) {
    const { text } = client
    if (i % 10 === 9) text.delete(Math.floor(text.length * ((i % 7) / 7)), 1)
    else text.insert(Math.floor(text.length * ((i % 11) / 11)), name)
    while (client.context._pendingChangesQueue.length > 2) await sleep(1)
  }
}

test('10,000 updates by three clients converge byte for byte', async () => {
  const relay = await Relay.start()
  const all = []
  try {
    await converge(relay, all)
  } finally {
    for (const c of all) c.close()
    await relay.stop()
  }
})

async function converge (relay, all) {
  const open = () => {
    all.push(new Client({ url: relay.secsync, documentId: 'doc',
      token: relay.token() }))
    all.at(-1).connect()
  }
  const describe = () => all.map(c => c.state()).join('\n')
  const loaded = () => until('loaded', () => all.every(c => c.loaded), describe)
  for (let i = 0; i < 3; i++) open()
  await loaded()
  await Promise.all(all.map((c, i) => edit(c, UPDATES / 3 + 1, 'abc'[i])))
  await until('the same', () => all.every(c => c.saved) &&
    all.every(c => bytes(c).equals(bytes(all[0]))), describe, 60000)
  open()
  await loaded()
  for (const c of all) assert.ok(bytes(c).equals(bytes(all[0])), describe())
  assert.ok(all[0].text.length > UPDATES * 0.7)
}
