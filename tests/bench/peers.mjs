// Servers to measure: ours in its variants, and those it is compared with, which
// are extracted below the build directory rather than installed.  Each
// measurement has a server of its own and leaves none behind.

import { execFile, execFileSync, spawn } from 'node:child_process'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import path from 'node:path'

const here = import.meta.dirname
const build = path.resolve(process.env.QUIRE_B || '.build')
const extracted = path.join(build, 'peers')
const LIMIT_MS = 120000
const SCRIPT_LIMIT_MS = 600000

// What the relay is told beside the many connections it may have.
const variants = {
  quire: [],
  'quire relay only': ['sds_persist no'],
  'quire, ping 1s': ['ping_ms 1s'],
  'quire, no fast lane': ['fast_lane no'],
  'quire, no sandbox': []
}

// command: words, with the port in them; a server is ready when it takes
// connections.  hear and say are the targets of receivers and of senders.
const others = {
  nchan: { framing: 'nchan', hear: '/hear', say: '/say', command: nginx },
  nats: { framing: 'nats', hear: '/', command: nats },
  ws: { framing: 'ws', hear: '/',
    command: port => [process.execPath, path.join(here, 'ws.cjs'), port] },
  websocketd: { framing: 'ws', hear: '/',
    command: port => ['websocketd', `--port=${port}`, '--address=127.0.0.1',
      '--loglevel=error', '--maxforks=20000', 'sh', '-c', 'echo; exec cat'] }
}

function nginx (port, dir) {
  const root = path.join(extracted, 'root')
  const conf = path.join(dir, 'nginx.conf')
  fs.writeFileSync(conf, `
    load_module ${root}/usr/lib/nginx/modules/ngx_nchan_module.so;
    daemon off; user root; worker_processes 1; pid ${dir}/pid;
    worker_rlimit_nofile 20000; error_log ${dir}/log crit;
    events { worker_connections 20000; }
    http {
      access_log off;
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location = /hear { nchan_subscriber websocket; nchan_channel_id load;
          nchan_subscriber_first_message newest; }
        location = /say { nchan_publisher websocket; nchan_channel_id load;
          nchan_message_buffer_length 100; nchan_message_timeout 10s; }
      }
    }`)
  // Debian's nginx makes directories below /var/lib whatever it is told: it
  // gets one of its own.
  return ['unshare', process.geteuid() === 0 ? '-m' : '-rm', 'sh', '-c',
    'mount -t tmpfs none /var/lib && mkdir /var/lib/nginx && exec "$0" "$@"',
    `${root}/usr/sbin/nginx`, '-p', dir, '-e', `${dir}/log`, '-c', conf]
}

function nats (port, dir) {
  const conf = path.join(dir, 'nats.conf')
  fs.writeFileSync(conf, `listen: 127.0.0.1:-1
    max_connections: 20000
    websocket { listen: "127.0.0.1:${port}", no_tls: true }`)
  return [path.join(extracted, 'root/usr/sbin/nats-server'), '-c', conf]
}

// Where the servers' costs are charged: a control group of each kind that can
// be made, or none.
class Groups {
  constructor () {
    const name = `quire-bench.${process.pid}`
    this.dirs = []
    this.env = {}
    this.one('LOAD_CPU', name, { cpuacct: 'cpuacct.usage', '': 'cpu.stat' })
    this.one('LOAD_MEMORY', name,
      { memory: 'memory.usage_in_bytes', '': 'memory.current' })
  }

  // The hierarchy that this process is in tells where a child may be made.
  one (variable, name, kinds) {
    for (const line of fs.readFileSync('/proc/self/cgroup', 'utf8').split('\n')) {
      const [, kind, at] = line.split(':')
      if (kinds[kind] === undefined) continue
      const dir = path.join('/sys/fs/cgroup', kind, at, name)
      try {
        if (!fs.existsSync(dir)) fs.mkdirSync(dir)
        if (!this.dirs.includes(dir)) this.dirs.push(dir)
        if (!fs.existsSync(path.join(dir, kinds[kind]))) continue
        this.env[variable] = path.join(dir, kinds[kind])
        return
      } catch {}
    }
  }

  procs () {
    return this.dirs.map(dir => path.join(dir, 'cgroup.procs')).join(' ')
  }

  remove () {
    for (const dir of this.dirs) try { fs.rmdirSync(dir) } catch {}
  }
}

const groups = new Groups()
const running = new Set()
process.on('exit', () => {
  for (const child of running) child.kill('SIGTERM')
  groups.remove()
})
for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, () => process.exit(1))
}

// Into the groups with a shell's own process and what follows from it.
const ENTER = 'for g in $GROUPS_; do echo $$ >"$g" || :; done; exec "$0" "$@"'

// A measurement: `SERVER: WORDS of load', `base: WORDS' or `scale: WORDS'.  An
// object of numbers; empty where the server cannot be had.
export async function measure (what) {
  const [server, words] = what.split(': ')
  const args = words.split(' ')
  if (server === 'base') {
    return values(await run(`${build}/tests/bench/base`,
      args.map(a => a === 'DIR' ? os.tmpdir() : a)))
  }
  if (server === 'scale') {
    return values(await run(`${build}/tests/bench/scale`, args))
  }
  if (variants[server] !== undefined) return ours(server, args)
  return has(server) ? theirs(others[server], args) : {}
}

function has (name) {
  if (name === 'websocketd') return inPath(name)
  if (name === 'ws') return fs.existsSync(wsModule())
  return fs.existsSync(path.join(extracted, 'root/usr/sbin', { nchan: 'nginx',
    nats: 'nats-server' }[name]))
}

function inPath (name) {
  return process.env.PATH.split(':').some(d => fs.existsSync(path.join(d, name)))
}

function wsModule () {
  return '/usr/share/nodejs/ws'
}

// Its processes enter the groups before clients come; after the load it is asked
// how often it flushed.
async function ours (variant, args) {
  const settings = ['log_level error', 'sessions_max 20000',
    'connections_max 20000', 'per_address_max 20000',
    'sessions_per_store_max 20000', 'sessions_per_subject_max 20000',
    ...variants[variant]].flatMap(line => ['-s', line])
  const script = `
    for p in $QUIRE_LISTENER $QUIRE_BROKER \
        $(cat /proc/$QUIRE_BROKER/task/*/children); do
      for g in $GROUPS_; do echo $p >$g || :; done
    done
    export LOAD_PEER=quire LOAD_PORT=$QUIRE_PORT LOAD_BROKER=$QUIRE_BROKER
    export LOAD_TARGET="/ws/demo?token=$WRITE"
    export LOAD_PIDS="$QUIRE_BROKER $QUIRE_LISTENER"
    "$0" "$@" && "$QUIRE_B/quirectl" -f "$QUIRE_DIR/conf" status |
      sed -n 's/^\\(flushes\\|operations\\|lanes\\) /\\1=/p'`
  const level = variant === 'quire, no sandbox' ? { QUIRE_SANDBOX: 'off' } : {}
  return values(await run(`${build}/tests/wire/serve`, [...settings, 'sh', '-c',
    script, `${build}/tests/bench/load`, ...args], level))
}

async function theirs (peer, args) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'quire-bench.'))
  const port = await freePort()
  const server = spawn('sh', ['-c', ENTER, ...peer.command(String(port), dir)],
    { env: env(), stdio: 'ignore' })
  running.add(server)
  const ended = new Promise(resolve => server.on('exit', resolve))
    .then(() => running.delete(server))
  try {
    if (!await listening(port, server)) return {}
    return values(await run(`${build}/tests/bench/load`, args, {
      LOAD_PEER: peer.framing, LOAD_PORT: String(port),
      LOAD_TARGET: peer.hear, LOAD_SEND: peer.say ?? peer.hear,
      LOAD_PIDS: String(server.pid), LOAD_BROKER: String(server.pid) }))
  } finally {
    server.kill('SIGTERM')
    await Promise.race([ended, later(5000).then(() => server.kill('SIGKILL'))])
    fs.rmSync(dir, { recursive: true, force: true })
  }
}

function env (more) {
  return { ...process.env, ...groups.env, GROUPS_: groups.procs(),
    QUIRE_B: build, ...more }
}

// What a program printed; a failed one says so and is no figure.
function run (program, args, more, limit = LIMIT_MS) {
  return new Promise(resolve => execFile(program, args,
    { env: env(more), timeout: limit, maxBuffer: 1 << 26 },
    (error, text, log) => {
      if (error) {
        console.error(`bench: ${program} ${args.slice(-6).join(' ')}: ` +
          (log.trim().split('\n').pop() || error.message))
      }
      resolve(error ? '' : text)
    }))
}

function values (text) {
  return Object.fromEntries(text.split(/\s+/).filter(w => w.includes('='))
    .map(w => w.split('=')).map(([k, v]) => [k, Number(v)]))
}

function freePort () {
  return new Promise(resolve => {
    const s = net.createServer().listen(0, '127.0.0.1', () => {
      const { port } = s.address()
      s.close(() => resolve(port))
    })
  })
}

async function listening (port, server) {
  for (let i = 0; i < 200 && server.exitCode === null; i++) {
    if (await connects(port)) return true
    await later(50)
  }
  console.error(`bench: ${server.spawnargs[3]} does not listen`)
  return false
}

function connects (port) {
  return new Promise(resolve => {
    const s = net.connect(port, '127.0.0.1')
    s.on('connect', () => { s.destroy(); resolve(true) })
    s.on('error', () => resolve(false))
  })
}

const later = ms => new Promise(resolve => setTimeout(resolve, ms))

// A script that compares by itself; what it prints, or nothing.
export function script (words) {
  return run(words[0], words.slice(1), {}, SCRIPT_LIMIT_MS)
}

// From Debian's archive into the build directory, once.
export function fetchPeers () {
  try {
    execFileSync(path.join(here, 'fetch.sh'), [extracted], { stdio: 'inherit' })
  } catch {
    console.error('bench: no packages, so without nchan and nats')
  }
}
