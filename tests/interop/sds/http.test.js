'use strict'
// Requests, answers and handshakes of an sds server, octet by octet (sds.md,
// sections 2, 4 and 9): what clients of any make find on the wire.

const assert = require('node:assert')
const test = require('node:test')
const { KEY, Raw, accept, frame, jwt, upgrade } = require('./raw')
const { Relay } = require('../relay')

const secret = '#'.repeat(3) + 'a secret, with blanks; as one would type it'
const now = () => Math.floor(Date.now() / 1000)
const token = more => jwt(secret, { sub: 'u', aud: 's1', scope: 'write', ...more })
const admin = more => token({ scope: 'admin', ...more })
const JSON_TYPE = 'application/json'
const TEXT_TYPE = 'text/plain; charset=UTF-8'

let relay

test.before(async () => {
  relay = await Relay.start([], `- HS256 text:${secret}\n`)
})
test.after(() => relay.stop())

async function on (what) {
  const raw = new Raw(relay.port)
  try {
    return await what(raw)
  } finally {
    raw.close()
  }
}

function request (line, headers = [], body = '') {
  return [`${line} HTTP/1.1`, 'Host: h', ...headers,
    ...(body === '' ? [] : [`Content-Length: ${Buffer.byteLength(body)}`]),
    '', body].join('\r\n')
}

const ask = (text, options) => on(raw => raw.send(text).answer(options))
const post = (body, auth = `Bearer ${admin()}`, ...headers) => ask(request(
  'POST /api/token', [...(auth === null ? [] : [`Authorization: ${auth}`]),
    ...headers], body))

function payload ({ status, body }) {
  assert.strictEqual(status, 200, body)
  const { token, ...more } = JSON.parse(body)
  assert.deepStrictEqual(more, {})
  const [header, claims, mac] = token.split('.')
  assert.strictEqual(header, 'eyJhbGciOiJIUzI1NiJ9')
  assert.match(mac, /^[A-Za-z0-9_-]{43}$/)
  return JSON.parse(Buffer.from(claims, 'base64url'))
}

test('the token API, check by check', async t => {
  const missing = [401, '{"error":"missing token"}']
  const invalid = [401, '{"error":"invalid token"}']
  const needsAdmin = [403, '{"error":"admin scope required"}']
  const badJson = [400, '{"error":"invalid JSON body"}']
  const needed = [400, '{"error":"sub and scope required"}']
  const good = '{"sub":"u","scope":"read"}'
  const cases = [
    ['no header', missing, good, null],
    ['Basic', missing, good, 'Basic eDp5'],
    ['bearer in small letters', missing, good, `bearer ${admin()}`],
    ['Bearer alone', missing, good, 'Bearer'],
    ['two blanks', invalid, good, `Bearer  ${admin()}`],
    ['garbage', invalid, good, 'Bearer x.y.z'],
    ['expired', invalid, good, `Bearer ${admin({ exp: now() - 1 })}`],
    ['aud a list', invalid, good, `Bearer ${admin({ aud: ['s1'] })}`],
    ['an unknown scope', invalid, good, `Bearer ${admin({ scope: 'x' })}`],
    ['scope write', needsAdmin, good, `Bearer ${token()}`],
    ['scope read', needsAdmin, good, `Bearer ${token({ scope: 'read' })}`],
    ['scope write and a bad body', needsAdmin, '{', `Bearer ${token()}`],
    ['no body', badJson, ''],
    ['half a body', badJson, '{'],
    ['a body and more', badJson, `${good}x`],
    ['a text', needed, '"x"'],
    ['a list', needed, `[${good}]`],
    ['a number', needed, '7'],
    ['null, no 500 here', needed, 'null'],
    ['no sub', needed, '{"scope":"read"}'],
    ['no scope', needed, '{"sub":"u"}'],
    ['sub a number', needed, '{"sub":1,"scope":"read"}'],
    ['scope a number', needed, '{"sub":"u","scope":1}'],
    ['an unknown scope to make', [400, '{"error":"invalid scope"}'],
      '{"sub":"u","scope":"superuser"}']
  ]
  for (const [name, [status, body], text, auth] of cases) {
    await t.test(name, async () => {
      const got = await post(text, auth)
      assert.deepStrictEqual([got.status, got.body], [status, body])
      assert.strictEqual(got.head['content-type'], JSON_TYPE)
    })
  }
})

test('tokens made', async t => {
  const make = async (text, ...headers) =>
    payload(await post(text, undefined, ...headers))
  await t.test('members in their order, and a day', async () => {
    const claims = await make('{"scope":"write","sub":"u"}')
    assert.deepStrictEqual(Object.keys(claims),
      ['sub', 'aud', 'scope', 'iat', 'exp'])
    assert.strictEqual(claims.exp - claims.iat, 86400)
    assert.strictEqual(claims.aud, 's1')
  })
  await t.test('aud, iss and nbf of the body do not count', async () => {
    const claims = await make('{"sub":"u","scope":"read","aud":"x",' +
      '"iss":"x","nbf":9}')
    assert.deepStrictEqual(Object.keys(claims),
      ['sub', 'aud', 'scope', 'iat', 'exp'])
    assert.strictEqual(claims.aud, 's1')
  })
  for (const type of ['text/plain', 'application/x-www-form-urlencoded']) {
    await t.test(`of type ${type}`, () =>
      make('{"sub":"u","scope":"read"}', `Content-Type: ${type}`))
  }
  await t.test('a byte order mark', () =>
    make('\ufeff{"sub":"u","scope":"read"}'))
  await t.test('an Origin', () =>
    make('{"sub":"u","scope":"read"}', 'Origin: https://elsewhere.example'))
  for (const sub of ['', 'é\n"\\/ 😀', 'x'.repeat(255)]) {
    await t.test(`sub ${JSON.stringify(sub.slice(0, 20))}`, async () => {
      const claims = await make(JSON.stringify({ sub, scope: 'read' }))
      assert.strictEqual(claims.sub, sub)
    })
  }
  for (const [exp, ttl] of [['"1s"', 1], ['"1m"', 60], ['"1h"', 3600],
    ['"7d"', 604800], ['"0s"', 0], ['"007s"', 7], ['"1w"', 86400],
    ['"500ms"', 86400], ['"1.5h"', 86400], ['"1 h"', 86400],
    ['"-1h"', 86400], ['"1H"', 86400], ['""', 86400], ['"h"', 86400],
    ['3600', 86400], ['null', 86400], ['true', 86400], ['{}', 86400],
    ['["1h"]', 3600], ['["1h","2h"]', 86400], ['"\\u0661h"', 86400],
    ['"1h\\n"', 86400], ['"99999999999999999999d"', 3153600000]]) {
    await t.test(`exp ${exp}`, async () => {
      const { exp: end, iat } = await make(
        `{"sub":"u","scope":"read","exp":${exp}}`)
      assert.strictEqual(end - iat, ttl)
      assert.ok(Math.abs(iat - now()) <= 1)
    })
  }
  await t.test('one for a name with a NUL', async () => {
    const claims = payload(await post('{"sub":"u","scope":"read"}',
      `Bearer ${admin({ aud: 'a\0b' })}`))
    assert.strictEqual(claims.aud, 'a\0b')
  })
})

test('where bodies come from', async t => {
  const body = '{"sub":"u","scope":"read"}'
  const auth = () => `Authorization: Bearer ${admin()}`
  await t.test('in chunks', async () => {
    payload(await ask(request('POST /api/token',
      [auth(), 'Transfer-Encoding: chunked']) + [body.slice(0, 9),
      body.slice(9), ''].map(p => `${p.length.toString(16)}\r\n${p}\r\n`)
      .join('')))
  })
  await t.test('after Expect: 100-continue', () => on(async raw => {
    raw.send(['POST /api/token HTTP/1.1', 'Host: h', auth(),
      'Expect: 100-continue', `Content-Length: ${body.length}`, '', '']
      .join('\r\n'))
    const go = await raw.until(() => raw.in.includes('\r\n\r\n')
      ? raw.in.toString() : undefined, '100')
    assert.strictEqual(go, 'HTTP/1.1 100 Continue\r\n\r\n')
    raw.in = Buffer.alloc(0)
    payload(await raw.send(body).answer())
  }))
  await t.test('octet by octet', () => on(async raw => {
    raw.socket.setNoDelay(true)
    for (const octet of request('POST /api/token', [auth()], body)) {
      raw.send(octet)
      await new Promise(resolve => setImmediate(resolve))
    }
    payload(await raw.answer())
  }))
  await t.test('three at once on one connection', () => on(async raw => {
    const one = request('POST /api/token', [auth()], body)
    raw.send(one + one + request('GET /'))
    payload(await raw.answer())
    payload(await raw.answer())
    assert.strictEqual((await raw.answer()).status, 404)
  }))
  await t.test('too much of it', async () => assert.strictEqual(
    (await post(`{"sub":"${'u'.repeat(65536)}"}`)).status, 413))
})

test('what is not there', async t => {
  const cases = ['GET /', 'GET /nope', 'GET /ws/s1', 'GET /signal/s1',
    `GET /ws/s1?token=${token()}`, 'GET /ws/s1?token=bad', 'POST /ws/s1',
    'GET /api/token', 'PUT /api/token', 'DELETE /api/token',
    'OPTIONS /api/token', 'POST /api/token/', 'POST /API/token',
    'OPTIONS /ws/s1', 'GET /favicon.ico']
  for (const line of cases) {
    await t.test(line.slice(0, 30), async () => {
      const got = await ask(request(line))
      assert.deepStrictEqual([got.status, got.body], [404, '404 Not Found'])
      assert.strictEqual(got.head['content-type'], TEXT_TYPE)
      assert.ok(!Object.keys(got.head).some(h => h.startsWith('access-control')))
    })
  }
  for (const path of ['/', '/ws/s1', '/api/token']) {
    await t.test(`HEAD ${path}`, () => on(async raw => {
      raw.send(request(`HEAD ${path}`), request('GET /'))
      const got = await raw.answer({ headOnly: true })
      assert.strictEqual(got.status, 404)
      assert.strictEqual(got.head['content-length'], '13')
      assert.strictEqual((await raw.answer()).body, '404 Not Found')
    }))
  }
  await t.test('/api/%74oken is /api/token', async () => payload(await ask(
    request('POST /api/%74oken', [`Authorization: Bearer ${admin()}`],
      '{"sub":"u","scope":"read"}'))))
  await t.test('/api/token?x=1 too', async () => payload(await ask(
    request('POST /api/token?x=1', [`Authorization: Bearer ${admin()}`],
      '{"sub":"u","scope":"read"}'))))
  await t.test('a preflight of a browser', async () => {
    const got = await ask(request('OPTIONS /api/token', ['Origin: https://a.b',
      'Access-Control-Request-Method: POST',
      'Access-Control-Request-Headers: authorization,content-type']))
    assert.strictEqual(got.status, 404)
    assert.strictEqual(got.head['access-control-allow-origin'], undefined)
  })
})

test('what is not understood', async t => {
  for (const [text, status] of [['garbage\r\n\r\n', 400],
    ['GET / HTTP/1.1\r\n\r\n', 400],
    [request('GET /', [`X: ${'x'.repeat(200000)}`]), 431]]) {
    await t.test(`${text.slice(0, 20).trim()}: ${status}`, () =>
      on(async raw => {
        raw.send(text)
        const got = await raw.answer()
        assert.strictEqual(got.status, status)
        assert.strictEqual(got.head.connection, 'close')
      }))
  }
})

// Upgrades: [name, target or null, lines changed, status, more].
const lines = () => ({
  Host: 'h', Connection: 'Upgrade', Upgrade: 'websocket',
  'Sec-WebSocket-Key': KEY, 'Sec-WebSocket-Version': '13'
})

function handshake (changed = {}, first = 'GET %s HTTP/1.1', target =
`/ws/s1?token=${token()}`) {
  return [first.replace('%s', target),
    ...Object.entries({ ...lines(), ...changed }).filter(([, v]) => v !== null)
      .map(([n, v]) => `${n}: ${v}`), '', ''].join('\r\n')
}

test('a handshake has four lines, and no extension', async t => {
  const cases = [['as it should be', {}], ['without Host', { Host: null }],
    ['version 8', { 'Sec-WebSocket-Version': '8' }],
    ['Upgrade in capitals', { Upgrade: 'WebSocket' }],
    ['Connection a list', { Connection: 'keep-alive, upgrade' }],
    ['permessage-deflate offered', { 'Sec-WebSocket-Extensions':
      'permessage-deflate; client_max_window_bits' }],
    ['an Origin', { Origin: 'https://elsewhere.example' }]]
  for (const [name, changed] of cases) {
    await t.test(name, async () => {
      const got = await ask(handshake(changed))
      assert.strictEqual(got.line, 'HTTP/1.1 101 Switching Protocols')
      assert.deepStrictEqual(got.head, { upgrade: 'websocket',
        connection: 'Upgrade', 'sec-websocket-accept': accept(KEY) })
    })
  }
  await t.test('HTTP/1.0', async () => assert.strictEqual(
    (await ask(handshake({ Host: null }, 'GET %s HTTP/1.0'))).status, 101))
  for (const offer of ['a', 'a, b', 'chat.v1,x']) {
    await t.test(`protocols ${offer}: the first`, async () => {
      const got = await ask(handshake({ 'Sec-WebSocket-Protocol': offer }))
      assert.strictEqual(got.head['sec-websocket-protocol'],
        offer.split(',')[0])
    })
  }
})

test('a handshake that is none', async t => {
  const cases = [['no key', { 'Sec-WebSocket-Key': null }, 400],
    ['a short key', { 'Sec-WebSocket-Key': 'eA==' }, 400],
    ['no version', { 'Sec-WebSocket-Version': null }, 400],
    ['version 12', { 'Sec-WebSocket-Version': '12' }, 400],
    ['version 14', { 'Sec-WebSocket-Version': '14' }, 400]]
  for (const [name, changed, status] of cases) {
    await t.test(name, async () => {
      const got = await ask(handshake(changed))
      assert.strictEqual(got.status, status)
      assert.strictEqual(got.head['content-type'], 'text/html')
      assert.strictEqual(got.head.connection, 'close')
      assert.strictEqual(got.head['sec-websocket-version'],
        name.includes('version') ? '13, 8' : undefined)
    })
  }
  for (const method of ['POST', 'PUT', 'HEAD']) {
    await t.test(method, async () => {
      const got = await ask(handshake({}, `${method} %s HTTP/1.1`),
        { headOnly: method === 'HEAD' })
      assert.strictEqual(got.status, 405)
    })
  }
  await t.test('on no route: a bare 404', () => on(async raw => {
    const got = await raw.send(handshake({}, undefined, '/nope')).answer()
    assert.deepStrictEqual([got.line, got.head],
      ['HTTP/1.1 404 Not Found', { connection: 'close', 'content-length': '0' }])
    await raw.end()
  }))
  await t.test('to h2c', async () => {
    const got = await ask(handshake({ Upgrade: 'h2c' }))
    assert.strictEqual(got.status, 404)
  })
  await t.test('without Connection: Upgrade', async () => {
    const { status } = await ask(handshake({ Connection: null }))
    assert.ok(status === 400 || status === 404, String(status))
  })
})

test('on one connection a token, and a store with it', () => on(async raw => {
  raw.send(request('POST /api/token', [`Authorization: Bearer ${admin()}`],
    '{"sub":"u","scope":"write"}'))
  const { token: made } = JSON.parse((await raw.answer()).body)
  raw.send(handshake({}, undefined, `/ws/s1?token=${made}`), frame(9, 'x'))
  assert.strictEqual((await raw.answer()).status, 101)
  assert.strictEqual((await raw.frame()).opcode, 10)
}))

test('who sends all at once and no more has said it', async () => {
  const say = octet => on(async raw => {
    raw.send(handshake(), frame(2, [1, octet]), frame(8, [3, 0xe8]))
    raw.socket.end()
    assert.strictEqual((await raw.answer()).status, 101)
    for (;;) {
      const { opcode, payload } = await raw.frame()
      if (opcode === 8) return payload.toString('hex')
    }
  })
  for (const octet of [7, 8]) assert.strictEqual(await say(octet), '03e8')
  await on(async raw => {
    raw.send(handshake())
    await raw.answer()
    for (const octet of [7, 8]) {
      assert.deepStrictEqual([...(await raw.frame()).payload], [1, octet])
    }
  })
})

test('a refusal is these octets', async t => {
  const cases = [['880e0fa1556e617574686f72697a6564', 'bad'],
    ['880b0fa3466f7262696464656e', token({ aud: 's2' })]]
  for (const [hex, bad] of cases) {
    await t.test(hex, () => on(async raw => {
      raw.send(handshake({}, undefined, `/ws/s1?token=${bad}`),
        frame(2, [1, 1]), frame(9, 'x'))
      assert.strictEqual((await raw.answer()).status, 101)
      const want = Buffer.from(hex, 'hex')
      await raw.until(() => raw.gather() || raw.in.length >= want.length ||
        undefined, 'close')
      assert.strictEqual(raw.in.toString('hex'), hex)
      raw.in = Buffer.alloc(0)
      raw.send(frame(8, want.subarray(2, 4)))
      await raw.end()
    }))
  }
})

test('a token may say who comes in no header', () => on(async raw => {
  raw.send(upgrade('/ws/s1', `Authorization: Bearer ${token()}`))
  assert.strictEqual((await raw.answer()).status, 101)
  const { payload: close } = await raw.frame()
  assert.strictEqual(close.readUInt16BE(0), 4001)
}))
