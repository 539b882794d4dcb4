'use strict'
// Snapshots read independently of the server, by npm transit-js (logseq.md
// section 5): frames of rows, a B+tree of datoms, a tail.

const t = require('transit-js')

// cache codes belong to one text, so each has a reader of its own
const read = (text) => t.reader('json').read(text)

// [addr, content, addresses] of all frames; the last of an addr wins
const rows = (octets) => {
  const found = new Map()
  for (let at = 0; at < octets.length;) {
    const n = octets.readUInt32BE(at)
    for (const [addr, content, addresses] of
      read(octets.toString('utf8', at + 4, at + 4 + n))) {
      found.set(addr, { content: read(content),
        addresses: addresses === null ? null : JSON.parse(addresses) })
    }
    at += 4 + n
  }
  return found
}

const get = (map, name) => map.get(t.keyword(name))

// Keys of one index in their order, and what is odd about its shape.
const walk = (all, root, shift) => {
  const keys = []
  const go = (addr, level) => {
    const { content, addresses } = all.get(addr)
    const own = get(content, 'keys')
    if (own.length > 32) throw new Error(`${own.length} keys in a node`)
    if ((addresses === null) !== (level === 0)) throw new Error('uneven tree')
    if (addresses === null) {
      keys.push(...own)
      return own.at(-1)
    }
    if (addresses.length !== own.length) throw new Error('keys and children')
    for (const [i, child] of addresses.entries()) {
      const last = go(child, level - 1)
      if (String(last) !== String(own[i])) throw new Error('key of a child')
    }
    return own.at(-1)
  }
  go(root, shift)
  return keys
}

// The text of a value, without codes.
exports.text = (v) => {
  const whole = JSON.parse(t.writer('json').write(v))
  return JSON.stringify(Array.isArray(whole) && whole[0] === "~#'"
    ? whole[1]
    : whole)
}

exports.open = (octets) => {
  const all = rows(octets)
  const root = all.get(0).content
  const index = (name) => walk(all, get(root, name),
    get(get(root, `${name}-metadata`), 'shift'))
  const tail = all.get(1).content.flat()
  return { root, all, tail, eavt: index('eavt'), aevt: index('aevt'),
    avet: index('avet') }
}
