'use strict'
// A slow and unreliable line: delays each direction, in order, and can be cut.

const net = require('node:net')

class Proxy {
  // delay(): milliseconds for the next piece.
  static async start (port, delay) {
    const proxy = new Proxy()
    proxy.pairs = new Set()
    proxy.server = net.createServer({ allowHalfOpen: true }, client => {
      const server = net.connect({ port, host: '127.0.0.1',
        allowHalfOpen: true })
      const pair = [client, server]
      proxy.pairs.add(pair)
      pipe(client, server, delay)
      pipe(server, client, delay)
      for (const socket of pair) {
        socket.setNoDelay(true)
        socket.on('error', () => cut(pair))
        socket.on('close', () => {
          if (pair.every(s => s.destroyed)) proxy.pairs.delete(pair)
        })
      }
    })
    await new Promise(resolve =>
      proxy.server.listen(0, '127.0.0.1', resolve))
    proxy.port = proxy.server.address().port
    return proxy
  }

  cut () {
    for (const pair of this.pairs) cut(pair)
    this.pairs.clear()
  }

  stop () {
    this.cut()
    this.server.close()
  }
}

function cut (pair) {
  for (const socket of pair) socket.destroy()
}

// Timers of one millisecond fire in any order, so each waits for the one before.
function pipe (from, to, delay) {
  let last = Promise.resolve()
  const later = send => {
    const due = Date.now() + delay()
    last = last.then(() => new Promise(resolve =>
      setTimeout(resolve, due - Date.now()))).then(() => {
      if (!to.destroyed) send()
    })
  }
  from.on('data', data => later(() => to.write(data)))
  from.on('end', () => later(() => to.end()))
}

module.exports = { Proxy }
