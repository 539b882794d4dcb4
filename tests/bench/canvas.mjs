// The canvas dialect beside the original server, npm canvas-store-server with
// FileStorage, under the same clients; README says how to read the lines.
//
//   canvas.mjs serve DIR PORT    the original
//   canvas.mjs                   measures both, and prints

import { spawn } from 'node:child_process'
import fs from 'node:fs'
import { createRequire } from 'node:module'
import os from 'node:os'
import path from 'node:path'

const near = createRequire(new URL('../interop/canvas/x', import.meta.url))
const { WebSocket, WebSocketServer } = near('ws')
const { FileStorage, RoomManager } = near('@woven-ecs/canvas-store-server')
const { Relay } = createRequire(import.meta.url)('../interop/relay')

if (process.argv[2] === 'serve') serve(process.argv[3], +process.argv[4])
else await compare()

function serve (dir, port) {
  const manager = new RoomManager()
  const server = new WebSocketServer({ host: '127.0.0.1', port },
    () => fs.writeSync(3, '\n'))
  server.on('connection', async (socket, request) => {
    const query = new URL(request.url, 'http://localhost').searchParams
    const roomId = query.get('roomId')
    const room = await manager.getOrCreateRoom(roomId,
      { createStorage: () => new FileStorage({ dir, roomId }) })
    const id = room.handleSocketConnect({ socket,
      clientId: query.get('clientId'), permissions: 'readwrite' })
    socket.on('message', data => room.handleSocketMessage(id, String(data)))
    socket.on('close', () => room.handleSocketClose(id))
  })
}

async function compare () {
  const ours = {}
  const theirs = {}
  const relay = await Relay.start([])
  relay.all = relay.token({})
  await measure(ours, (room, id) =>
    `${relay.canvas}?roomId=${room}&clientId=${id}&token=${relay.all}`)
  await relay.stop()
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'canvas-bench.'))
  const port = 20000 + process.pid % 20000
  const original = spawn(process.execPath,
    [process.argv[1], 'serve', dir, String(port)],
    { stdio: ['ignore', 'inherit', 'inherit', 'pipe'] })
  process.on('exit', () => original.kill('SIGKILL'))
  await new Promise(resolve => original.stdio[3].once('data', resolve))
  await measure(theirs, (room, id) =>
    `ws://127.0.0.1:${port}/?roomId=${room}&clientId=${id}`)
  original.kill('SIGKILL')
  fs.rmSync(dir, { recursive: true })
  for (const [name, value] of Object.entries(ours)) {
    // Times the other way round: above 1 is ours better
    const ratio = name.endsWith('_ms') ? theirs[name] / value
      : value / theirs[name]
    console.log(`canvas ${name}=${round(value)} original=` +
      `${round(theirs[name])} ratio=${round(ratio)}`)
  }
}

async function measure (out, url) {
  out.acks_per_s_1 = await acks(url, 'acks-1', 1, 16, 4000)
  out.acks_per_s_8 = await acks(url, 'acks-8', 8, 16, 2000)
  const alone = await latency(url, 'latency', 0, 2000)
  out.ack_p50_ms = alone.ack[0]
  out.ack_p99_ms = alone.ack[1]
  const ten = await latency(url, 'ten', 10, 1000)
  out.broadcast_10_p50_ms = ten.all[0]
  out.broadcast_10_p99_ms = ten.all[1]
  Object.assign(out, await diffs(url, 'diffs', 100000))
}

// Patches a second that writers get acknowledged, so many of each on their way.
async function acks (url, room, writers, flight, each) {
  const all = []
  for (let i = 0; i < writers; i++) all.push(await open(url(room, i)))
  const start = performance.now()
  await Promise.all(all.map((ws, w) => new Promise(resolve => {
    let sent = 0
    let got = 0
    const next = () => ws.send(patch(w, sent++))
    ws.on('message', data => {
      if (!String(data).startsWith('{"type":"ack"')) return
      if (++got === each) resolve()
      else if (sent < each) next()
    })
    for (let i = 0; i < flight; i++) next()
  })))
  const s = (performance.now() - start) / 1000
  for (const ws of all) ws.close()
  return writers * each / s
}

// From a patch to its ack, and until all receivers have it.
async function latency (url, room, receivers, n) {
  const writer = await open(url(room, 'writer'))
  const acked = []
  const arrived = []
  let start, missing, done
  const one = () => { if (--missing === 0) done() }
  writer.on('message', data => {
    if (!String(data).startsWith('{"type":"ack"')) return
    acked.push(performance.now() - start)
    one()
  })
  for (let i = 0; i < receivers; i++) {
    const ws = await open(url(room, i))
    ws.on('message', data => {
      if (String(data).startsWith('{"type":"patch"')) one()
    })
  }
  for (let i = 0; i < n; i++) {
    missing = 1 + receivers
    const finished = new Promise(resolve => { done = resolve })
    start = performance.now()
    writer.send(patch('w', i))
    await finished
    arrived.push(performance.now() - start)
  }
  writer.close()
  return { ack: quantiles(acked), all: quantiles(arrived) }
}

// A large room: all of it for who is new, and ten components for who was away.
async function diffs (url, room, size) {
  const ws = await open(url(room, 'writer'))
  const seed = {}
  for (let i = 0; i < size; i++) {
    seed[`seed-${i}/box`] = { _exists: true, _version: null, x: i, y: 0 }
  }
  const other = await waits(url('other', 'other'))
  const seeded = await answer(ws, JSON.stringify({ type: 'patch',
    messageId: 'seed', documentPatches: [seed] }), 'ack')
  const waited = other()
  const some = Object.fromEntries(Object.keys(seed).slice(0, 10)
    .map(key => [key, { x: -1 }]))
  await answer(ws, JSON.stringify({ type: 'patch', messageId: 'some',
    documentPatches: [some] }), 'ack')
  const ask = since => answer(ws, JSON.stringify({ type: 'reconnect',
    lastTimestamp: since, protocolVersion: 2 }), 'synced')
  const whole = []
  const few = []
  for (let i = 0; i < 3; i++) whole.push(await ask(0))
  for (let i = 0; i < 20; i++) few.push(await ask(1))
  ws.close()
  return { seed_100000_ms: seeded, seed_100000_other_max_ms: waited,
    whole_100000_ms: quantiles(whole)[0],
    diff_10_of_100000_ms: quantiles(few)[0] }
}

// Writes to another room, one after the other, until it is called: the longest
// that one of them waited for its ack.
async function waits (url) {
  const ws = await open(url)
  let longest = 0
  let i = 0
  let sent
  const next = () => {
    sent = performance.now()
    ws.send(patch('other', i++))
  }
  ws.on('message', data => {
    if (!String(data).startsWith('{"type":"ack"')) return
    longest = Math.max(longest, performance.now() - sent)
    next()
  })
  next()
  return () => {
    ws.close()
    return Math.max(longest, performance.now() - sent)
  }
}

function answer (ws, text, type) {
  const start = performance.now()
  return new Promise(resolve => {
    const hear = data => {
      if (!String(data).startsWith(`{"type":"${type}"`)) return
      ws.off('message', hear)
      resolve(performance.now() - start)
    }
    ws.on('message', hear)
    ws.send(text)
  })
}

function patch (writer, i) {
  return JSON.stringify({ type: 'patch', messageId: `${writer}-${i}`,
    documentPatches: [{ [`e-${writer}-${i % 100}/box`]:
      { _exists: true, _version: null, x: i, y: i / 3 } }] })
}

// Ready when it has been counted.
function open (url) {
  return new Promise((resolve, reject) => {
    const ws = new WebSocket(url, { maxPayload: 1 << 28 })
    ws.on('error', reject)
    ws.once('message', () => resolve(ws))
  })
}

function quantiles (values) {
  values.sort((a, b) => a - b)
  return [0.5, 0.99].map(q => values[Math.floor(q * values.length)])
}

function round (x) {
  return x >= 100 ? Math.round(x) : +x.toPrecision(3)
}
