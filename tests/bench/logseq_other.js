'use strict'
// logseq_other.js PORT TOKEN GRAPH: a process of its own that writes to a small
// graph, one durable transaction after the other with a moment between, so that
// what it waits for is the servers and never the load generator.  To any line of
// its input it answers with how long each took since the last, as JSON.

const { User } = require('../interop/logseq/client.js')

const [port, token, graph] = process.argv.slice(2)
const user = Object.assign(Object.create(User.prototype),
  { relay: { port }, token })
const took = []

process.stdin.on('data', () => {
  process.stdout.write(JSON.stringify(took.splice(0)) + '\n')
})
process.stdin.on('end', () => process.exit(0))

const main = async () => {
  const socket = await user.socket(graph)
  let t = 0
  for (let n = 0; ; n++) {
    const uuid = `00000000-0000-4000-8000-${String(n).padStart(12, '0')}`
    const tx = JSON.stringify([['~:db/add', `n${n}`, '~:block/uuid',
      `~u${uuid}`]])
    const from = process.hrtime.bigint()
    const m = await socket.ask({ type: 'tx/batch', 't-before': t,
      txs: [{ tx }] }, 'tx/batch/ok')
    took.push(Number(process.hrtime.bigint() - from) / 1e6)
    t = m.t
    await new Promise((resolve) => setTimeout(resolve, 2))
  }
}

main().catch((e) => {
  console.error(e)
  process.exit(1)
})
