// The unmodified client in a world of its own, with a frame every few
// milliseconds, as an application would run it.

import { WebSocket } from 'ws'
import 'fake-indexeddb/auto'

globalThis.WebSocket = WebSocket

const { World, addComponent, createEntity, removeEntity, field } =
  await import('@woven-ecs/core')
const { CanvasStore, Synced, defineCanvasComponent, defineCanvasSingleton,
  seedRoom } = await import('@woven-ecs/canvas-store')

const FRAME_MS = 4

export const Box = defineCanvasComponent({ name: 'box', sync: 'document' }, {
  x: field.float64().default(0),
  y: field.float64().default(0),
  text: field.string().max(100).default('')
})
export const Stroke = defineCanvasComponent(
  { name: 'stroke', sync: 'document' }, {
    points: field.buffer(field.float64()).size(64)
  })
export const Cursor = defineCanvasComponent(
  { name: 'cursor', sync: 'ephemeral' }, {
    x: field.float64().default(0)
  })
export const Page = defineCanvasSingleton({ name: 'page', sync: 'document' }, {
  title: field.string().max(100).default('none')
})

export { WebSocket, seedRoom }

export class Client {
  constructor (options) {
    this.id = options.clientId
    this.edits = []
    this.counts = []
    this.world = new World([Box, Stroke, Cursor, Page, Synced],
      { maxEntities: options.maxEntities || 10000, maxEvents: 1 << 20 })
    this.store = new CanvasStore({
      history: { commitCheckpointAfterFrames: 1 },
      websocket: {
        documentId: 'room',
        onConnectivityChange: online => { this.online = online },
        ...options
      }
    })
    this.entities = new Map()
  }

  static async start (options) {
    const c = new Client(options)
    await c.store.initialize({ components: [Box, Stroke, Cursor],
      singletons: [Page] })
    c.timer = setInterval(() => c.frame(), FRAME_MS)
    return c
  }

  frame () {
    this.world.execute(ctx => {
      for (const edit of this.edits.splice(0)) edit(ctx)
      this.store.sync(ctx)
    })
  }

  // Done in the next frame.
  edit (body) {
    return new Promise(resolve => this.edits.push(ctx => resolve(body(ctx))))
  }

  create (def, id, data) {
    return this.edit(ctx => {
      const e = createEntity(ctx)
      addComponent(ctx, e, Synced, { id })
      addComponent(ctx, e, def, data)
      this.entities.set(id, e)
    })
  }

  change (def, id, data) {
    return this.edit(ctx =>
      Object.assign(def.write(ctx, this.entities.get(id)), data))
  }

  remove (id) {
    return this.edit(ctx => removeEntity(ctx, this.entities.get(id)))
  }

  setPage (title) {
    return this.edit(ctx => { Page.write(ctx).title = title })
  }

  // What it shows: live components only, in an order of their own.
  state () {
    const live = Object.entries(this.store.getState())
      .filter(([, c]) => c._exists !== false)
      .map(([k, c]) => [k, Object.fromEntries(Object.entries(c)
        .map(([n, v]) => [n, ArrayBuffer.isView(v) ? Array.from(v) : v])
        .sort())])
    return JSON.stringify(live.sort(([a], [b]) => a < b ? -1 : 1))
  }

  has (key) {
    return JSON.parse(this.state()).find(([k]) => k === key)?.[1]
  }

  get unacked () {
    const ws = this.store.websocketAdapter
    return ws.inFlight.size + ws.documentSendBuffer.length +
      ws.ephemeralSendBuffer.length + Object.keys(ws.offlineBuffer).length
  }

  get cursor () {
    return this.store.websocketAdapter.lastTimestamp
  }

  close () {
    clearInterval(this.timer)
    this.store.close()
    this.world.dispose?.()
  }
}

export const sleep = ms => new Promise(resolve => setTimeout(resolve, ms))

export async function until (what, condition, ms = 15000) {
  const end = Date.now() + ms
  while (!await condition()) {
    if (Date.now() > end) {
      throw new Error(`not in ${ms / 1000} s: ${what}`)
    }
    await sleep(FRAME_MS)
  }
}
