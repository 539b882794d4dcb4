'use strict'
// logseq.js [DATOMS]: what a Logseq graph costs, one name=value a line.

const crypto = require('node:crypto')
const fs = require('node:fs')
const path = require('node:path')
const readline = require('node:readline')
const zlib = require('node:zlib')
const { spawn } = require('node:child_process')
const { Relay } = require('../interop/relay.js')
const { User } = require('../interop/logseq/client.js')

const DATOMS = Number(process.argv[2] ?? 1000000)
const FAN = 32

const say = (name, value, digits = 1) =>
  console.log(`${name}=${value.toFixed(digits)}`)
const seconds = (from) => Number(process.hrtime.bigint() - from) / 1e9
const now = () => process.hrtime.bigint()

const uuid = (n) => `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
const add = (e, a, v) => ['~:db/add', e, `~:${a}`, v]
const at = (n) => ['~:block/uuid', `~u${uuid(n)}`]
const block = (n) => [add(uuid(n), 'block/uuid', `~u${uuid(n)}`),
  add(uuid(n), 'block/title', `some text of block number ${n}, not short`),
  add(uuid(n), 'block/parent', at(0)), add(uuid(n), 'block/page', at(0)),
  add(uuid(n), 'block/order', `a${n}`), add(uuid(n), 'block/refs', at(0)),
  add(uuid(n), 'block/created-at', 1795228595361 + n),
  add(uuid(n), 'block/updated-at', 1795228595361 + n)]
const page = [add(uuid(0), 'block/uuid', `~u${uuid(0)}`),
  add(uuid(0), 'block/name', 'page')]

// The datoms of n blocks in the order of EAVT, as rows of a snapshot.
function * rows (blocks) {
  let addr = 1000000
  let level = []
  const leaf = (keys) => {
    level.push([++addr, keys.at(-1)])
    return [addr, JSON.stringify(['^ ', '~:keys', keys]), null]
  }
  let keys = []
  for (let e = 1; e <= blocks; e++) {
    keys.push([e, '~:block/created-at', 1795228595361 + e, 536870913],
      [e, '~:block/order', `a${e}`, 536870913],
      [e, '~:block/page', 1, 536870913], [e, '~:block/parent', 1, 536870913],
      [e, '~:block/refs', 1, 536870913],
      [e, '~:block/title', `some text of block number ${e}, not short`,
        536870913],
      [e, '~:block/updated-at', 1795228595361 + e, 536870913],
      [e, '~:block/uuid', `~u${uuid(e)}`, 536870913])
    if (keys.length === FAN) {
      yield leaf(keys)
      keys = []
    }
  }
  if (keys.length > 0) yield leaf(keys)
  let shift = 0
  for (; level.length > 1; shift++) {
    const below = level
    level = []
    for (let i = 0; i < below.length; i += FAN) {
      const part = below.slice(i, i + FAN)
      level.push([++addr, part.at(-1)[1]])
      yield [addr, JSON.stringify(['^ ', '~:keys', part.map((x) => x[1])]),
        JSON.stringify(part.map((x) => x[0]))]
    }
  }
  yield [2, JSON.stringify(['^ ', '~:keys', []]), null]
  yield [1, '[]', null]
  const meta = (count, depth) => ['^ ', '~:count', count, '~:shift', depth]
  yield [0, JSON.stringify(['^ ', '~:schema', ['^ '], '~:max-eid', blocks,
    '~:max-tx', 536870913, '~:max-addr', addr, '~:eavt', level[0][0],
    '~:aevt', 2, '~:avet', 2, '~:eavt-metadata', meta(blocks * 8, shift),
    '~:aevt-metadata', meta(0, 0), '~:avet-metadata', meta(0, 0),
    '~:branching-factor', FAN, '~:ref-type', '~:strong']), null]
}

const frame = (list) => {
  const text = Buffer.from(JSON.stringify(list))
  const head = Buffer.alloc(4)
  head.writeUInt32BE(text.length)
  return Buffer.concat([head, text])
}

// As clients send it: 500 rows or a million octets a request.
const upload = async (user, graph, blocks) => {
  let list = []
  let octets = 0
  let reset = true
  const send = async (finished) => {
    const answer = await user.http('POST', `/sync/${graph}/snapshot/upload` +
      `?reset=${reset}&finished=${finished}`, zlib.gzipSync(frame(list),
      { level: 1 }), { 'content-encoding': 'gzip',
      'content-type': 'application/transit+json' })
    if (answer.status !== 200) throw new Error(String(answer.body.error))
    list = []
    octets = 0
    reset = false
  }
  for (const row of rows(blocks)) {
    list.push(row)
    octets += row[1].length
    if (list.length === 500 || octets > 900000) await send(false)
  }
  await send(true)
}

// Somebody else, who writes a little to another graph (logseq_other.js).  A
// figure of it is a ratio too: to the median of what it takes alone.
class Neighbour {
  static async start (user) {
    const n = new Neighbour()
    const graph = await user.graph('other')
    n.child = spawn(process.execPath, [path.join(__dirname, 'logseq_other.js'),
      user.relay.port, user.token, graph],
    { stdio: ['pipe', 'pipe', 'inherit'] })
    process.on('exit', () => n.child.kill())
    n.lines = readline.createInterface(n.child.stdout)[Symbol.asyncIterator]()
    return n
  }

  async took () {
    this.child.stdin.write('\n')
    const took = JSON.parse((await this.lines.next()).value)
    return took.sort((a, b) => a - b)
  }

  // Of those since the last call.
  async tell (name) {
    const took = await this.took()
    const part = (p) => took[Math.min(took.length - 1,
      Math.floor(took.length * p))]
    this.alone ??= part(0.5)
    for (const [word, ms] of [['p50', part(0.5)], ['p99', part(0.99)],
      ['max', took.at(-1)]]) {
      say(`${name}_other_${word}_ms`, ms, 2)
      say(`${name}_other_${word}_ratio`, ms / this.alone)
    }
  }

  stop () {
    this.child.stdin.end()
  }
}

const peak = (pid) => Number(/VmHWM:\s+(\d+)/.exec(
  fs.readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024

// CPU, user and system, in seconds.
const cpu = (pid) => {
  const words = fs.readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]
    .split(' ')
  return (Number(words[11]) + Number(words[12])) / 100
}

// The largest worker, looked at while it lives.
const watch = (relay) => {
  const seen = { workers: 0 }
  const children = `/proc/${relay.listener.pid}/task/${relay.listener.pid}` +
    '/children'
  seen.timer = setInterval(() => {
    for (const pid of fs.readFileSync(children, 'utf8').trim().split(' ')) {
      try {
        seen.workers = Math.max(seen.workers, peak(pid))
      } catch {}
    }
  }, 20)
  return seen
}

const main = async () => {
  const relay = await Relay.start()
  const ann = new User(relay, 'ann')
  const other = await Neighbour.start(new User(relay, 'bob'))
  const graph = await ann.graph('small')
  const socket = await ann.socket(graph)
  let t = 0
  let n = 1
  const batch = async (txs) => {
    const m = await socket.ask({ type: 'tx/batch', 't-before': t,
      txs: txs.map((tx) => ({ tx: JSON.stringify(tx),
        'tx-id': crypto.randomUUID() })) }, 'tx/batch/ok', 'tx/reject')
    if (m.type !== 'tx/batch/ok') throw new Error(m.reason)
    t = m.t
  }

  await batch([page])
  let from = now()
  for (let i = 0; i < 1500; i++) await batch([block(n++)])
  say('tx_per_s', 1500 / seconds(from), 0)
  from = now()
  for (let i = 0; i < 40; i++) {
    await batch(Array.from({ length: 50 }, () => block(n++)))
  }
  say('tx_in_batches_of_50_per_s', 2000 / seconds(from), 0)
  from = now()
  const pulled = await ann.http('GET', `/sync/${graph}/pull?since=0`)
  say('pull_mb_per_s', JSON.stringify(pulled.body).length / 1e6 /
    seconds(from))

  await other.took()
  await new Promise((resolve) => setTimeout(resolve, 2000))
  await other.tell('idle')
  let spent = cpu(relay.broker.pid)
  from = now()
  for (let i = 0; i < 20; i++) {
    await batch([Array.from({ length: 625 }, () => block(n++)).flat()])
  }
  say('batch_of_5000_ms', seconds(from) / 20 * 1000)
  spent = cpu(relay.broker.pid) - spent
  say('batch_of_5000_broker_cpu_ms', spent / 20 * 1000)
  await other.tell('batch_of_5000')

  const big = await ann.graph('big')
  const seen = watch(relay)
  from = now()
  await upload(ann, big, DATOMS / 8)
  say('upload_s', seconds(from))
  await other.tell('upload')
  from = now()
  const down = await ann.download(big)
  say('download_s', seconds(from))
  say('download_mb', down.body.length / 1e6)
  await other.tell('download')
  clearInterval(seen.timer)
  say('broker_peak_mib', peak(relay.broker.pid))
  say('worker_peak_mib', seen.workers)
  other.stop()
  socket.close()
  await relay.stop()
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
