'use strict'
// ws.cjs PORT: a broadcast server of the node library ws, as its manual has it,
// which greets who comes.

const { WebSocketServer } = require('/usr/share/nodejs/ws')

const server = new WebSocketServer({ host: '127.0.0.1', port: process.argv[2],
  backlog: 4096 })
server.on('connection', socket => {
  socket.send('')
  socket.on('message', (data, isBinary) => {
    for (const c of server.clients) {
      if (c !== socket && c.readyState === 1) c.send(data, { binary: isBinary })
    }
  })
})
