'use strict'
// What a graph should be, by npm datascript: it resolves and applies; what
// Logseq adds to it (logseq.md sections 7.4 to 7.6) is written here once more,
// from the text alone and on whole states instead of indexes.
//
// A transaction is a list of { op, e, a, v }.  Entities are { temp }, { uuid }
// or { ident }; values the same, or { uuidValue }, { keyword }, or plain.

const d = require('datascript')

const one = { ':db/valueType': ':db.type/ref' }
const many = { ...one, ':db/cardinality': ':db.cardinality/many' }
const schema = {
  'db/ident': { ':db/unique': ':db.unique/identity' },
  'block/uuid': { ':db/unique': ':db.unique/identity' },
  'block/parent': one,
  'block/page': one,
  'block/link': one,
  'block/refs': many,
  'block/tags': many,
  'user.property/friend': one,
  'user.property/likes': many,
  'user.property/words': { ':db/cardinality': ':db.cardinality/many' },
  'logseq.property.class/extends': many
}
const isRef = (a) => schema[a]?.[':db/valueType'] !== undefined
const classes = ['Page', 'Journal', 'Tag', 'Property']
  .map((c) => `:logseq.class/${c}`)
const local = ['block/path-refs', 'block/pre-block?']

exports.isRef = isRef

exports.Model = class {
  constructor () {
    this.db = d.empty_db(schema)
  }

  rows (db = this.db) {
    return d.datoms(db, ':eavt').map((x) => [x.e, x.a, x.v])
  }

  find (x) {
    const [a, v] = x.uuid !== undefined
      ? ['block/uuid', `~u${x.uuid}`]
      : ['db/ident', `:${x.ident}`]
    return this.rows().find((r) => r[1] === a && r[2] === v)?.[0]
  }

  // true: applied (or nothing to do); false: refused
  tx (op, items) {
    const deletes = op === 'delete-blocks'
    if (items.length === 0) return !deletes
    try {
      const cleaned = this.clean(op, deletes, items)
      const db = d.db_with(this.db, cleaned.map((i) => this.item(i)))
      if (this.cycle(db)) return false
      this.db = db
    } catch (e) {
      return ['rebase', 'fix'].includes(op) &&
        /Nothing found/.test(String(e.message ?? e))
    }
    return true
  }

  clean (op, deletes, items) {
    items = items.filter((i) => !local.includes(i.a))
    const eid = (i) => i.e.temp !== undefined ? undefined : this.find(i.e)
    if (deletes || op === 'fix') {
      items = items.filter((i) => i.op !== 'gone' || eid(i) !== undefined ||
        i.e.temp !== undefined)
    }
    const going = new Set(items.filter((i) => i.op === 'gone').map(eid))
    going.delete(undefined)
    if (deletes) {
      items = items.filter((i) => i.op === 'gone' || !going.has(eid(i)))
    }
    const key = (i) => JSON.stringify([i.e, i.a, i.v])
    const added = new Set(items.filter((i) => i.op === 'add').map(key))
    items = items.filter((i) => i.op !== 'retract' || !added.has(key(i)) ||
      !['block/title', 'block/name'].includes(i.a))
    // all below the deleted, but not what the transaction speaks of
    const touched = new Set(items.map(eid))
    const uuids = new Map(this.rows().filter((r) => r[1] === 'block/uuid')
      .map((r) => [r[0], r[2]]))
    const more = []
    const walk = (parent) => {
      if (!uuids.has(parent)) return
      for (const [e, a, v] of this.rows()) {
        if (a !== 'block/parent' || v !== parent || going.has(e)) continue
        if (!deletes && touched.has(e)) continue
        going.add(e)
        more.push({ op: 'gone', e: { eid: e } })
        walk(e)
      }
    }
    for (const e of [...going]) walk(e)
    return [...items, ...more]
  }

  item ({ op, e, a, v }) {
    const entity = (x) => x.eid ?? x.temp ?? (x.uuid !== undefined
      ? ['block/uuid', `~u${x.uuid}`]
      : ['db/ident', `:${x.ident}`])
    const value = (x) => typeof x !== 'object'
      ? x
      : x.uuidValue !== undefined
        ? `~u${x.uuidValue}`
        : x.keyword !== undefined ? `:${x.keyword}` : entity(x)
    if (op === 'gone') return [':db/retractEntity', entity(e)]
    if (op === 'retract' && v === undefined) {
      return [':db.fn/retractAttribute', entity(e), a]
    }
    return [op === 'add' ? ':db/add' : ':db/retract', entity(e), a, value(v)]
  }

  cycle (db) {
    const was = new Set(this.rows().map(String))
    return ['block/parent', 'logseq.property.class/extends'].some((attr) => {
      const rows = this.rows(db).filter((r) => r[1] === attr)
      const reach = (e, seen) => {
        for (const r of rows) {
          if (r[0] !== e || seen.has(r[2])) continue
          seen.add(r[2])
          reach(r[2], seen)
        }
        return seen
      }
      return rows.some((r) => !was.has(String(r)) &&
        reach(r[0], new Set()).has(r[0]))
    })
  }

  // 16 digits, as section 7.5 has them
  sum () {
    const rows = this.rows()
    const get = (e, a) => rows.filter((r) => r[0] === e && r[1] === a)
      .map((r) => r[2])
    const uuid = (e) => get(e, 'block/uuid')[0]?.slice(2)
    let h1 = 0
    let h2 = 0
    for (const [e, a, v] of rows) {
      if (!/^block\/(uuid|parent|page|order|title|name)$/.test(a)) continue
      const eligible = uuid(e) !== undefined &&
        get(e, 'logseq.property/built-in?')[0] !== true &&
        (get(e, 'block/page').length > 0 || get(e, 'block/name').length > 0 ||
          get(e, 'block/tags').some((t) =>
            classes.includes(get(t, 'db/ident')[0])))
      if (!eligible) continue
      const text = isRef(a) ? uuid(v) ?? '' : String(v).replace(/^~u/, '')
      let a1 = 2166136261
      let a2 = 5381
      for (const c of Buffer.from(
        `${uuid(e)}\x1f:${a}\x1f${text}`, 'utf16le').swap16().toString('hex')
        .match(/.{4}/g)) {
        a1 = Math.imul(a1 ^ parseInt(c, 16), 16777619) >>> 0
        a2 = (Math.imul(a2, 33) + parseInt(c, 16)) >>> 0
      }
      h1 = (h1 + a1) >>> 0
      h2 = (h2 + a2) >>> 0
    }
    return [h1, h2].map((h) => h.toString(16).padStart(8, '0')).join('')
  }
}

// A state without the numbers of entities, which are nobody's business.
exports.canon = (rows) => {
  const names = new Map()
  for (const [e, a, v] of rows) {
    if (a === 'block/uuid' || (a === 'db/ident' && !names.has(e))) {
      names.set(e, v)
    }
  }
  const name = (e) => names.get(e) ?? 'somebody'
  return rows.map(([e, a, v]) =>
    JSON.stringify([name(e), a, isRef(a) ? name(v) : v])).sort()
}
