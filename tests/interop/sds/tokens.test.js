'use strict'
// Which tokens open a store, and which store a path is, case by case (sds.md,
// sections 2 to 4): made by hand with the secret that the relay was given as an
// sds server is, and asked for octet by octet.

const assert = require('node:assert')
const { createHmac } = require('node:crypto')
const test = require('node:test')
const { Raw, base64url, frame, jwt, upgrade } = require('./raw')
const { Relay } = require('../relay')

const secret = 'not+base64url:a/secret=as.it.stands,of_32_or-more'
const now = () => Math.floor(Date.now() / 1000)
const claims = more => ({ sub: 'u', aud: 's1', scope: 'write', ...more })
const token = more => jwt(secret, claims(more))
const headed = header => jwt(secret, claims(), header)
const without = name => {
  const c = claims()
  delete c[name]
  return jwt(secret, c)
}
const text = json => jwt(secret, json)
const said = (name, json) => text(`{"sub":"u","aud":"s1","scope":"write",${
  JSON.stringify(name)}:${json}}`)

const OPEN = 'open'
const BAD = '4001 Unauthorized'
const OTHER = '4003 Forbidden'

// Asked again where the answer depends on the second in which it comes.
const tokens = [
  ['valid', OPEN, () => token()],
  ['none', BAD, () => ''],
  ['garbage', BAD, () => 'garbage'],
  ['two dots', BAD, () => '..'],
  ['another secret', BAD, () => jwt(`${secret}x`, claims())],
  ['the secret decoded', BAD, () =>
    jwt(Buffer.from(secret, 'base64url'), claims())],
  ['alg none', BAD, () => `${base64url('{"alg":"none"}')}.${
    base64url(JSON.stringify(claims()))}.`],
  ['alg HS512', BAD, () => jwt(secret, claims(), { alg: 'HS512' }, (s, t) =>
    createHmac('sha512', s).update(t).digest('base64url'))],
  ['alg HS512 over HS256', BAD, () => headed({ alg: 'HS512' })],
  ['alg hs256', BAD, () => headed({ alg: 'hs256' })],
  ['no alg', BAD, () => headed({ typ: 'JWT' })],
  ['typ of any text', OPEN, () => headed({ alg: 'HS256', typ: 'weird' })],
  ['typ a number', OPEN, () => headed({ alg: 'HS256', typ: 1 })],
  ['kid', OPEN, () => headed({ alg: 'HS256', kid: 'any' })],
  ['crit unknown', BAD, () => headed({ alg: 'HS256', crit: ['x'], x: 1 })],
  ['crit b64 true', OPEN, () =>
    headed({ alg: 'HS256', crit: ['b64'], b64: true })],
  ['crit b64 false', BAD, () =>
    headed({ alg: 'HS256', crit: ['b64'], b64: false })],
  ['crit empty', BAD, () => headed({ alg: 'HS256', crit: [] })],
  ['header an array', BAD, () => headed('[]')],
  ['header null', BAD, () => headed('null')],
  ['no exp', OPEN, () => token()],
  ['exp in the past', BAD, () => token({ exp: now() - 10 })],
  ['exp now', BAD, () => token({ exp: now() })],
  ['exp in a minute', OPEN, () => token({ exp: now() + 60 })],
  ['exp a text', BAD, () => token({ exp: String(now() + 60) })],
  ['exp null', BAD, () => token({ exp: null })],
  ['exp with a fraction', OPEN, () => token({ exp: now() + 60.5 })],
  ['exp 1e300', OPEN, () => said('exp', '1e300')],
  ['nbf in a minute', BAD, () => token({ nbf: now() + 60 })],
  ['nbf now', OPEN, () => token({ nbf: now() })],
  ['nbf a text', BAD, () => token({ nbf: '0' })],
  ['iat in the future', OPEN, () => token({ iat: now() + 3600 })],
  ['iat a text', BAD, () => token({ iat: 'x' })],
  ['iat null', BAD, () => token({ iat: null })],
  ['iss, and no issuer set', OPEN, () => token({ iss: 'who' })],
  ['iss a number', OPEN, () => token({ iss: 7 })],
  ['no sub', BAD, () => without('sub')],
  ['sub empty', OPEN, () => token({ sub: '' })],
  ['sub a number', BAD, () => token({ sub: 7 })],
  ['no aud', BAD, () => without('aud')],
  ['aud a list', BAD, () => token({ aud: ['s1'] })],
  ['aud another', OTHER, () => token({ aud: 's2' })],
  ['aud in capitals', OTHER, () => token({ aud: 'S1' })],
  ['aud its beginning', OTHER, () => token({ aud: 's' })],
  ['aud empty', OTHER, () => token({ aud: '' })],
  ['no scope', BAD, () => without('scope')],
  ['scope unknown', BAD, () => token({ scope: 'superuser' })],
  ['scope in capitals', BAD, () => token({ scope: 'WRITE' })],
  ['scope a list', BAD, () => token({ scope: ['write'] })],
  ['scope of two words', BAD, () => token({ scope: 'read write' })],
  ['bad scope, other aud', BAD, () => token({ scope: 'x', aud: 's2' })],
  ['expired, other aud', BAD, () => token({ exp: 1, aud: 's2' })],
  ['payload an array', BAD, () => text('[]')],
  ['payload no JSON', BAD, () => text('{')],
  ['signature cut', BAD, () => token().slice(0, -4)],
  ['a blank before', BAD, () => `%20${token()}`],
  ['four parts', BAD, () => `${token()}.x`],
  ['with Bearer', BAD, () => `Bearer%20${token()}`]
]

// Where npm jose is lenient we are not (quire-dialects(7)): a token has one
// spelling and one meaning, or it is none.
const strict = [
  ['exp 1e400', () => said('exp', '1e400')],
  ['a byte order mark', () => text(`\ufeff${JSON.stringify(claims())}`)],
  ['scope twice', () => said('scope', '"read"')],
  ['signature padded', () => `${token()}%3D`],
  ['signature and !', () => `${token()}!`],
  ['a blank behind', () => `${token()}%20`],
  ['a line feed behind', () => `${token()}%0A`]
]

// Target and aud; %T is where the token goes.
const targets = [
  [OPEN, '/ws/s1?x=1&token=%T', 's1'],
  [OPEN, '/ws/s1?token=%T&token=bad', 's1'],
  [BAD, '/ws/s1?token=bad&token=%T', 's1'],
  [BAD, '/ws/s1?Token=%T', 's1'],
  [OPEN, '/ws/s1?xtoken=bad&token=%T', 's1'],
  [OPEN, '/ws/s1?%74oken=%T', 's1'],
  [BAD, '/ws/s1?x=1;token=%T', 's1'],
  [BAD, '/ws/s1', 's1'],
  [BAD, '/ws/s1?', 's1'],
  [BAD, '/ws/s1?token', 's1'],
  [OPEN, '/ws/a%2Fb', 'a/b'],
  [OPEN, '/ws/a%252Fb', 'a%2Fb'],
  [OTHER, '/ws/a%252Fb', 'a/b'],
  [OPEN, '/ws/%E4%BD%A0', '你'],
  [OPEN, '/ws/%F0%9F%98%80', '😀'],
  [OPEN, '/ws/e%CC%81', 'e\u0301'],
  [OTHER, '/ws/e%CC%81', '\u00e9'],
  [OPEN, '/ws/a%20b', 'a b'],
  [OPEN, '/ws/a+b', 'a+b'],
  [OTHER, '/ws/a+b', 'a b'],
  [OPEN, '/ws/%zz', '%zz'],
  [OPEN, '/ws/%ff', '%ff'],
  [OPEN, '/ws/%', '%'],
  [OPEN, '/ws/a.b', 'a.b'],
  [OPEN, '/ws/x;y', 'x;y'],
  [OPEN, '/ws/a%00b', 'a\0b'],
  [OPEN, '/ws/a%0D%0Ab', 'a\r\nb'],
  [OPEN, '/ws/..%2Fx', '../x'],
  [OPEN, '/ws/x%3Fy', 'x?y'],
  [OPEN, '/ws/x%23y', 'x#y'],
  [OPEN, '/ws/signal:x', 'signal:x'],
  [OPEN, '/ws/y/../x', 'x'],
  [OPEN, '/ws/y/%2e%2e/x', 'x'],
  [OPEN, '/ws/./x', 'x'],
  [OPEN, `/ws/${'n'.repeat(255)}`, 'n'.repeat(255)],
  [OPEN, '/ws/x/ws/x', 'x'],
  [404, '/ws/x/ws/y', 'x'],
  [404, '/ws/x/', 'x'],
  [404, '/ws/', 'x'],
  [404, '/ws', 'x'],
  [404, '/ws/x/y', 'x'],
  [404, '/ws//x', 'x'],
  [404, '/WS/x', 'x'],
  [404, '/signal/', 'x'],
  [404, '/signal/x/signal/x', 'x'],
  [404, '/api/token', 'x'],
  [404, '/nope/x', 'x'],
  [404, '/', 'x'],
  [404, '//', 'x'],
  [OPEN, 'http://elsewhere/ws/x', 'x'],
  [OPEN, '/signal/s1', 's1'],
  [BAD, '/signal/s1?token=', 's1'],
  [OTHER, '/signal/s1', 's2']
]

let relay

test.before(async () => { relay = await Relay.start([], secret) })
test.after(() => relay.stop())

// What becomes of an upgrade: its status, a close, or OPEN, which is known by the
// answer to a ping.
async function verdict (target) {
  const raw = new Raw(relay.port)
  try {
    raw.send(upgrade(target), frame(9, 'x'))
    const { status } = await raw.answer()
    if (status !== 101) return status
    const { opcode, payload } = await raw.frame()
    if (opcode === 10) return OPEN
    return `${payload.readUInt16BE(0)} ${payload.subarray(2)}`
  } finally {
    raw.close()
  }
}

test('tokens', async t => {
  for (const [name, want, make] of tokens) {
    await t.test(name, async () => {
      for (const path of ['/ws/s1', '/signal/s1']) {
        assert.strictEqual(await verdict(`${path}?token=${make()}`), want)
      }
    })
  }
})

test('tokens that are nearly ones', async t => {
  for (const [name, make] of strict) {
    await t.test(name, async () =>
      assert.strictEqual(await verdict(`/ws/s1?token=${make()}`), BAD))
  }
})

test('an issuer that is set must be in the token', async () => {
  const other = await Relay.start(['issuer me'], secret)
  const old = relay
  relay = other
  try {
    for (const [iss, want] of [['me', OPEN], ['you', BAD], [1, BAD],
      [['me'], BAD], [undefined, BAD]]) {
      assert.strictEqual(await verdict(`/ws/s1?token=${token({ iss })}`), want)
    }
    const made = await minted(token({ iss: 'me', scope: 'admin' }))
    assert.deepStrictEqual(Object.keys(JSON.parse(Buffer.from(
      made.split('.')[1], 'base64url'))),
    ['sub', 'aud', 'scope', 'iat', 'exp', 'iss'])
    assert.strictEqual(await verdict(`/ws/s1?token=${made}`), OPEN)
  } finally {
    relay = old
    await other.stop()
  }
})

async function minted (admin) {
  const body = '{"sub":"u","scope":"read"}'
  const raw = new Raw(relay.port)
  raw.send(['POST /api/token HTTP/1.1', 'Host: h', 'Connection: close',
    `Authorization: Bearer ${admin}`, `Content-Length: ${body.length}`, '',
    body].join('\r\n'))
  return JSON.parse((await raw.answer()).body).token
}

test('paths', async t => {
  for (const [want, target, aud] of targets) {
    await t.test(`${target.slice(0, 40)} for ${JSON.stringify(aud)
      .slice(0, 20)}`, async () => {
      const good = token({ aud })
      const whole = target.includes('?') ? target.replace('%T', good)
        : target === '/ws/s1' ? target : `${target}?token=${good}`
      assert.strictEqual(await verdict(whole), want)
    })
  }
})

test('a name longer than any store has is nobody\'s', async () => {
  for (const [n, want] of [[1024, OPEN], [1025, OTHER]]) {
    const aud = 'n'.repeat(n)
    assert.strictEqual(await verdict(`/ws/${aud}?token=${token({ aud })}`), want)
  }
})

