// What is measured, group by group: a row is a figure of ours, its baseline, and
// what is asked of it.  A measurement is named `SERVER: WORDS'
// (peers.mjs); in each run of a group every measurement of it is made once, one
// beside the other, and every row takes its figures from there.

const at = (what, field) => ({ what, field })
const over = (list, field, of) => ({ list: list.map(w => at(w, field)), of })
const target = (of, is, limit) => ({ of, is, limit })

const full = n => `fanout ${n} 16 ${n >= 5000 ? 200 : Math.min(20000, 1e6 / n)} 100`
const large = 'fanout 1000 16 150 4096'
const single = 'fanout 1000 1 400 100'
const sizes = [10, 100, 1000, 5000]
const most = sizes.slice(1)
const beside = 'fanout 200 16 2500 4096'
const commit = 'commit 64 20000'
const lone = 'commit 1 1500'
const sync = at('base: sync DIR 2000', 'p50_us')

// Large ones, what they are compared with, and what that is called.
const stores = {
  '10,000 documents': ['docs 10000', 'docs 1000', '1,000'],
  '1,000,000 records in one':
    ['records 1000000 100', 'records 100000 100', '100,000'],
  '1 GiB in one': ['records 16384 65536', 'records 1600 65536', '100 MiB']
}

const row = (what, unit, ours, base, baseName, t) =>
  ({ what, unit, ours, base, baseName, target: t })

// The same of each peer.
const peers = (what, unit, words, field, list) => Object.entries(list)
  .map(([peer, t]) => row(what, unit, at(`quire: ${words}`, field),
    at(`${peer}: ${words}`, field), peer, t))

export const groups = [
  { name: 'fan-out, 100 B', rows: [
    ...peers('16 in flight, 100 B to 1,000: cost', 'us', full(1000), 'cost_us',
      { nats: target('ratio', '<=', 0.6), nchan: target('ratio', '<=', 0.35),
        ws: undefined }),
    ...peers('16 in flight, 100 B to 1,000: rate', '/s', full(1000), 'per_s',
      { nats: undefined, nchan: undefined, ws: undefined })
  ] },
  { name: 'fan-out, 4 KiB', rows:
    peers('16 in flight, 4 KiB to 1,000: cost', 'us', large, 'cost_us',
      { nchan: target('ratio', '<=', 0.5), nats: undefined, ws: undefined }) },
  { name: 'fan-out, few and many', rows: [
    ...sizes.filter(n => n !== 1000).map(n =>
      row(`16 in flight, 100 B to ${n}: cost`, 'us',
        at(`quire: ${full(n)}`, 'cost_us'),
        at(`quire: ${full(1000)}`, 'cost_us'), 'to 1,000')),
    row('16 in flight, 10 to 5,000: dearest', 'us',
      over(sizes.map(n => `quire: ${full(n)}`), 'cost_us', 'max'),
      over(sizes.map(n => `quire: ${full(n)}`), 'cost_us', 'min'), 'cheapest',
      target('ratio', '<=', 1.5)),
    row('16 in flight, 100 to 5,000: dearest', 'us',
      over(most.map(n => `quire: ${full(n)}`), 'cost_us', 'max'),
      over(most.map(n => `quire: ${full(n)}`), 'cost_us', 'min'), 'cheapest'),
    row('16 in flight, 100 B to 10: cost', 'us',
      at(`quire: ${full(10)}`, 'cost_us'),
      at(`quire relay only: ${full(10)}`, 'cost_us'), 'not durable'),
    row('16 in flight, 100 B to 10: cost', 'us',
      at(`quire: ${full(10)}`, 'cost_us'),
      at(`nats: ${full(10)}`, 'cost_us'), 'nats')
  ] },
  { name: 'fan-out, one at a time', rows: [
    ...peers('one at a time to 1,000: last of all, p99', 'ms', single, 'p99_ms',
      { nchan: target('ratio', '<=', 1.5), nats: undefined, ws: undefined }),
    ...peers('one at a time to 1,000: last of all, p50', 'ms', single, 'p50_ms',
      { nchan: undefined }),
    ...peers('one at a time to 1,000: cost', 'us', single, 'cost_us',
      { nchan: undefined, nats: undefined })
  ] },
  { name: 'slow and dead readers', times: 2, rows:
    [['one dead reader', '1 0'], ['one slow reader', '0 1']].flatMap(
      ([who, words]) => [['rate of the others', '/s', 'per_s', '>=', 0.95],
        ['their last of all, p50', 'ms', 'p50_ms', '<=', 1.05]].map(
        ([what, unit, field, is, limit]) => row(`${who}: ${what}`, unit,
          at(`quire: ${beside} ${words}`, field),
          at(`quire: ${beside}`, field), 'without',
          target('ratio', is, limit)))) },
  { name: 'commits', rows: [
    row('64 writers: acknowledged by a flush', '', { what: `quire: ${commit}`,
      field: 'operations', by: 'flushes' },
    { what: `quire: ${lone}`, field: 'operations', by: 'flushes' },
    'one writer', target('ours', '>=', 20)),
    row('64 writers: commits', '/s', at(`quire: ${commit}`, 'per_s'),
      at(`quire relay only: ${commit}`, 'per_s'), 'not durable',
      target('ratio', '>=', 0.5)),
    row('64 writers: commits', '/s', at(`quire: ${commit}`, 'per_s'),
      at('base: sqlite DIR 2000', 'per_s'), 'sqlite',
      target('ratio', '>=', 3)),
    row('64 writers: commits', '/s', at(`quire: ${commit}`, 'per_s'),
      at(sync.what, 'per_s'), 'fdatasync'),
    row('one writer: until relayed, p50', 'us', at(`quire: ${lone}`, 'p50_us'),
      sync, 'fdatasync', target('minus', '<=', 150)),
    row('one writer: until relayed, p50', 'us', at(`quire: ${lone}`, 'p50_us'),
      at(`quire relay only: ${lone}`, 'p50_us'), 'not durable')
  ] },
  { name: 'connections', rows: [
    row('to connect, log in, open: rate', '/s', at('quire: spawn 3000', 'per_s'),
      at('base: fork 3000', 'per_s'), 'bare fork', target('ours', '>=', 3000)),
    row('to connect, log in, open: rate', '/s', at('quire: spawn 3000', 'per_s'),
      at('quire, no sandbox: spawn 3000', 'per_s'), 'no sandbox'),
    row('to connect, log in, open: rate', '/s', at('quire: spawn 3000', 'per_s'),
      at('websocketd: spawn 1000', 'per_s'), 'websocketd'),
    row('to connect, log in, open: rate', '/s', at('quire: spawn 3000', 'per_s'),
      at('ws: spawn 3000', 'per_s'), 'ws'),
    row('an idle one: memory, all counted', 'KiB', at('quire: idle 1000', 'kib'),
      at('websocketd: idle 1000', 'kib'), 'websocketd',
      target('ours', '<=', 160)),
    row('an idle one: memory, all counted', 'KiB', at('quire: idle 1000', 'kib'),
      at('quire, no sandbox: idle 1000', 'kib'), 'no sandbox'),
    row('an idle one: memory, all counted', 'KiB', at('quire: idle 1000', 'kib'),
      at('ws: idle 1000', 'kib'), 'ws')
  ] },
  { name: 'ten thousand', times: 0, rows: [
    row('live at once, all hear', '', at('quire: live 10000', 'connections'),
      at('ws: live 10000', 'connections'), 'ws',
      target('ours', '>=', 10000)),
    row('live at once, first message to all', 'ms',
      at('quire: live 10000', 'last_ms'), at('ws: live 10000', 'last_ms'), 'ws')
  ] },
  { name: 'catching up', rows: [
    row('20,000 records of 4 KiB, log to client', 'MB/s',
      at('quire: catchup 20000 4096', 'mb_per_s'), at('base: tcp 500', 'mb_per_s'),
      'bare loopback', target('ours', '>=', 500)),
    row('its broker, a quarter of a core at 500 MB/s', 'ms/MB',
      at('quire: catchup 20000 4096', 'broker_ms_per_mb'),
      at('quire: catchup 20000 4096', 'servers_ms_per_mb'), 'all of ours',
      target('ours', '<=', 0.5))
  ] },
  { name: 'large stores', times: 0, rows: [
    ...Object.entries(stores).map(([what, [large, small, name]]) =>
      row(`${what}: crash to ready`, 'ms', at(`scale: ${large}`, 'start_ms'),
        at(`scale: ${small}`, 'start_ms'), name, target('ratio', '<=', 2))),
    row('10,000 documents: memory of one, closed', 'octets',
      at('scale: docs 10000', 'doc_octets'), { constant: 16 }, 'a pointer, twice',
      target('ours', '<=', 16)),
    row('1,000,000 records in one: catching up', '/s',
      at('scale: records 1000000 100', 'read_per_s'),
      at('scale: records 100000 100', 'read_per_s'), '100,000',
      target('ratio', '>=', 0.7)),
    row('1 GiB in one: catching up', 'MB/s',
      at('scale: records 16384 65536', 'read_mb_per_s'),
      at('base: tcp 500', 'mb_per_s'), 'bare loopback'),
    row('1 GiB in one: catching up', 'MB/s',
      at('scale: records 16384 65536', 'read_mb_per_s'),
      at('scale: records 1600 65536', 'read_mb_per_s'), '100 MiB'),
    row('1 GiB in one: backup', 'MB/s',
      at('scale: records 16384 65536', 'backup_mb_per_s'),
      at('scale: records 16384 65536', 'copy_mb_per_s'), 'copy and fsync'),
    row('1 GiB in one: backup', 'MB/s',
      at('scale: records 16384 65536', 'backup_mb_per_s'),
      at('scale: records 1600 65536', 'backup_mb_per_s'), '100 MiB',
      target('ratio', '>=', 0.7))
  ] },
  { name: 'at rest', times: 0, rows: [
    row('200 connections, no ping due: wake-ups', '/s',
      at('quire: wakes 200 10', 'wakes_per_s'),
      at('nats: wakes 200 10', 'wakes_per_s'), 'nats',
      target('ours', '<=', 1)),
    row('200 connections, a ping a second: wake-ups', '/s',
      at('quire, ping 1s: wakes 200 10', 'wakes_per_s'),
      { constant: 400 }, 'ping and pong', target('ratio', '<=', 1.05))
  ] }
]
