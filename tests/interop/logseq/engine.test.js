'use strict'
// Random transactions through the engine and through npm datascript: the same
// are refused, and the graphs are equal after each.

const assert = require('node:assert')
const { test } = require('node:test')
const { Engine } = require('./drive.js')
const { Model, canon } = require('./model.js')

const ROUNDS = process.env.QUIRE_LONG ? 400 : 40
const STEPS = 60

// mulberry32
const random = (seed) => () => {
  seed = (seed + 0x6d2b79f5) | 0
  let x = Math.imul(seed ^ (seed >>> 15), 1 | seed)
  x = (x + Math.imul(x ^ (x >>> 7), 61 | x)) ^ x
  return ((x ^ (x >>> 14)) >>> 0) / 4294967296
}

const uuids = [...'0123456789'].map((c) =>
  `${c.repeat(8)}-0000-4000-8000-00000000000${c}`)
const idents = ['user.class/thing', 'logseq.class/Page', 'logseq.class/Tag']
const single = ['block/parent', 'block/page', 'block/link',
  'user.property/friend']
const gather = ['block/refs', 'block/tags', 'user.property/likes',
  'logseq.property.class/extends']
const plain = {
  'block/title': ['', 'a', 'title \u00e9\u{1f600}', '~x^`"\\\n'],
  'block/name': ['a', 'b'],
  'block/order': ['a0', 'a1', 'Zz'],
  'block/created-at': [0, 1, 1795229527755, -3],
  'block/path-refs': ['x'],
  'logseq.property/built-in?': [true, false],
  'user.property/words': ['one', 'two', 'three'],
  'x/number': [1, 1.5, -2.25]
}

// What teaches the engine what the model's schema says.
const property = (ident, ref, cardinality) => [
  ['db/ident', { keyword: ident }],
  ...(ref ? [['db/valueType', { keyword: 'db.type/ref' }]] : []),
  ['db/cardinality', { keyword: `db.cardinality/${cardinality}` }]
].map(([a, v]) => ({ op: 'add', e: { temp: ident }, a, v }))
const lesson = [
  ...property('user.property/friend', true, 'one'),
  ...property('user.property/likes', true, 'many'),
  ...property('user.property/words', false, 'many'),
  ...property('logseq.property.class/extends', true, 'many')
]

const transit = (items) => {
  const text = (s) => /^[~^`]/.test(s) ? `~${s}` : s
  const thing = (x) => typeof x === 'string'
    ? text(x)
    : typeof x !== 'object'
      ? x
      : x.temp ?? (x.uuid !== undefined
        ? ['~:block/uuid', `~u${x.uuid}`]
        : x.uuidValue !== undefined
          ? `~u${x.uuidValue}`
          : `~:${x.ident ?? x.keyword}`)
  return JSON.stringify(items.map(({ op, e, a, v }) => op === 'gone'
    ? ['~:db/retractEntity', thing(e)]
    : [op === 'add' ? '~:db/add' : '~:db/retract', thing(e), `~:${a}`,
        ...(v === undefined ? [] : [thing(v)])]))
}

class Writer {
  constructor (seed) {
    this.random = random(seed)
  }

  chance (p) {
    return this.random() < p
  }

  pick (list) {
    return list[Math.floor(this.random() * list.length)]
  }

  entity (temps) {
    if (temps.length > 0 && this.chance(0.3)) return { temp: this.pick(temps) }
    return this.chance(0.15)
      ? { ident: this.pick(idents) }
      : { uuid: this.pick(uuids) }
  }

  add (e, temps) {
    const kind = this.random()
    if (kind < 0.35) {
      return { op: 'add', e, a: this.pick(single), v: this.entity(temps) }
    }
    if (kind < 0.55) {
      return { op: 'add', e, a: this.pick(gather), v: this.entity(temps) }
    }
    const a = this.pick(Object.keys(plain))
    return { op: 'add', e, a, v: this.pick(plain[a]) }
  }

  tx () {
    const temps = []
    const items = []
    while (this.chance(0.55) && temps.length < 4) {
      const uuid = this.pick(uuids)
      if (temps.includes(uuid)) continue
      temps.push(uuid)
      items.push({ op: 'add', e: { temp: uuid }, a: 'block/uuid',
        v: { uuidValue: uuid } })
    }
    // Not with others: an ident may make two temp ids one entity that changes
    // its uuid under way, which datascript sees in order and Logseq never does.
    if (temps.length === 1 && this.chance(0.3)) {
      items.push({ op: 'add', e: { temp: temps[0] }, a: 'db/ident',
        v: { keyword: this.pick(idents) } })
    }
    for (let n = Math.floor(this.random() * 6); n > 0; n--) {
      const kind = this.random()
      if (kind < 0.65) {
        items.push(this.add(this.entity(temps), temps))
      } else if (kind < 0.8) {
        const i = this.add(this.entity(this.chance(0.1) ? temps : []), [])
        items.push({ ...i, op: 'retract',
          v: this.chance(0.3) ? undefined : i.v })
      } else if (kind < 0.84) {
        items.push({ op: 'add', e: this.entity([]), a: 'block/uuid',
          v: { uuidValue: this.pick(uuids) } })
      } else {
        items.push({ op: 'gone', e: this.entity([]) })
      }
    }
    return items
  }

  op () {
    return this.pick(['', '', 'save-block', 'delete-blocks', 'rebase', 'fix'])
  }
}

const round = async (seed) => {
  const engine = new Engine()
  const model = new Model()
  const writer = new Writer(seed)
  const seen = { done: 0, refused: 0 }
  let t = 0

  try {
    for (let step = -1; step < STEPS; step++) {
      const items = step < 0 ? lesson : writer.tx()
      const op = step < 0 ? '' : writer.op()
      const before = canon(model.rows())
      const done = model.tx(op, items)
      const answer = await engine.tx(op, transit(items))
      const after = canon(model.rows())
      const what = `seed ${seed} step ${step}: ${op} ${transit(items)}`
      assert.strictEqual(answer.result === 0, done, what)
      assert.deepStrictEqual(canon((await engine.dump()).map(([e, a, v]) =>
        [e, a, typeof v === 'string' && v.startsWith('~:') ? v.slice(1) : v]
      )).map((s) => s.replace(/"~~/g, '"~')), after, what)
      assert.strictEqual(answer.sum, model.sum(), what)
      if (String(before) !== String(after)) t++
      assert.strictEqual(answer.t, t, what)
      seen[done ? 'done' : 'refused']++
    }
  } finally {
    engine.end()
  }
  return seen
}

test('random transactions do what datascript does', async () => {
  const total = { done: 0, refused: 0 }
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const seen = await round(seed)
    total.done += seen.done
    total.refused += seen.refused
  }
  // Both kinds must have been met, or the test says little.
  assert.ok(total.done > ROUNDS * 10 && total.refused > ROUNDS * 5,
    JSON.stringify(total))
})
