'use strict'
// A relay of a test's own, as tests/lib/server.h makes one for C: quired and
// quire-worker -l on a free port, everything else in a new directory.

const { spawn, execFileSync } = require('node:child_process')
const fs = require('node:fs')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')

process.setMaxListeners(100)
const build = path.resolve(process.env.QUIRE_B || '.build')

const root = process.geteuid() === 0
const user = root ? 'nobody' : '""'
const level = process.env.QUIRE_SANDBOX || (root ? 'require' : 'best-effort')

class Relay {
  constructor (settings = [], secret = undefined) {
    this.dir = fs.mkdtempSync(path.join(os.tmpdir(), 'quire.'))
    this.keys = path.join(this.dir, 'keys')
    this.conf = path.join(this.dir, 'conf')
    fs.mkdirSync(path.join(this.dir, 'data'), 0o700)
    fs.chmodSync(this.dir, 0o711) // the worker's user must get to the sockets
    fs.writeFileSync(this.conf, [`data ${this.dir}/data`,
      `socket ${this.dir}/broker.sock`, `control ${this.dir}/control.sock`,
      `keys ${this.keys}`, `user ${user}`, `worker_user ${user}`,
      `sandbox ${level}`, 'sessions_per_subject_max 10000',
      ...settings, ''].join('\n'))
    if (secret === undefined) {
      execFileSync(`${build}/quirectl`, ['keygen', this.keys])
    } else {
      fs.writeFileSync(this.keys, secret, { mode: 0o600 })
    }
  }

  // secret: the one key, as a text; else there is a new one.
  static async start (settings, secret) {
    const relay = new Relay(settings, secret)
    relay.port = await freePort()
    await relay.startBroker()
    await relay.startListener()
    return relay
  }

  async startListener () {
    this.listener = await start('quire-worker', ['-d', '-s',
      `${this.dir}/broker.sock`, '-l', `127.0.0.1:${this.port}`, '-m',
      '2000', '-M', '2000', '-u', 'nobody', '-S', level])
  }

  // As an operator stops all of it, and starts it again.
  async restart () {
    await end(this.listener, 'SIGTERM')
    await end(this.broker, 'SIGTERM')
    await this.startBroker()
    await this.startListener()
  }

  // fault: tests/preload/disk.c, what of it is to go wrong.
  async startBroker (fault) {
    this.broker = await start('quired', ['-d', '-f', this.conf], fault &&
      { ...process.env, ...fault, LD_PRELOAD: `${build}/tests/preload/disk.so` })
  }

  // Without a chance to finish anything.
  async killBroker () {
    await end(this.broker, 'SIGKILL')
  }

  // All that it has in memory is on the disk then.
  async stopBroker () {
    await end(this.broker, 'SIGTERM')
  }

  // Of the listener and its workers; settings may be needed to hear them.
  said (text) {
    return this.listener.said.split(text).length - 1
  }

  ctl (...words) {
    return execFileSync(`${build}/quirectl`, ['-f', this.conf, ...words])
      .toString()
  }

  async stop () {
    const listener = await end(this.listener, 'SIGTERM')
    const broker = await end(this.broker, 'SIGTERM')
    fs.rmSync(this.dir, { recursive: true })
    if (listener !== 0 || broker !== 0) {
      throw new Error(`listener ended with ${listener}, broker with ${broker}`)
    }
  }

  token (claims, scope = 'write', seconds = 3600, ...more) {
    return execFileSync(`${build}/quirectl`, ['token', '-k', this.keys, '-s',
      'test', '-a', '*', '-S', scope, '-t', `${seconds}s`, '-x',
      JSON.stringify(claims || {}), ...more]).toString().trim()
  }

  // what is jti or subject
  revoke (what, name) {
    this.ctl('token', 'revoke', what, name)
  }

  get sds () {
    return `ws://127.0.0.1:${this.port}`
  }

  get secsync () {
    return `ws://127.0.0.1:${this.port}/secsync`
  }

  get canvas () {
    return `ws://127.0.0.1:${this.port}/canvas`
  }
}

function freePort () {
  return new Promise((resolve, reject) => {
    const server = net.createServer().on('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address()
      server.close(() => resolve(port))
    })
  })
}

// A program writes an octet to its readiness descriptor, or dies.
function start (program, words, env) {
  const child = spawn(`${build}/${program}`, [...words, '-r', '3'],
    { env, stdio: ['ignore', 'ignore', 'pipe', 'pipe'] })
  child.said = ''
  child.stderr.on('data', text => {
    process.stderr.write(text)
    child.said += text
  })
  child.ended = new Promise(resolve =>
    child.on('exit', (code, signal) => resolve(signal || code)))
  process.on('exit', () => child.kill('SIGKILL'))
  return new Promise((resolve, reject) => {
    child.stdio[3].once('data', () => resolve(child))
    child.ended.then(how => reject(new Error(`${program}: ${how}`)))
  })
}

function end (child, signal) {
  child.kill(signal)
  return child.ended
}

module.exports = { Relay }
