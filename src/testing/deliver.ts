import type { ServerResponse } from 'node:http'
import type { FakeEvent } from './dialects/dialect.js'
import type { FaultPlan } from './faults.js'
import type { BilledTokens } from './script.js'

/** An answer that is ready to be sent. */
export interface Delivery {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  readonly content: Uint8Array | string | Iterable<FakeEvent> | AsyncIterable<FakeEvent>
  /** An error event of the dialect, for `errorAfter`. */
  readonly errorFrame: string
  /** What all of it costs; undefined where nothing is billed. */
  readonly tokens?: BilledTokens | undefined
}

/** Where an answer is sent; `drop` ends the connection on our side, with a TCP reset if asked. */
export interface Outlet {
  readonly response: ServerResponse
  drop(reset: boolean): void
  /** Puts down what the request costs now. */
  bill(tokens: BilledTokens): void
}

/** Sends an answer with everything that its plan says goes wrong. Ends early when the client leaves. */
export async function deliver(outlet: Outlet, delivery: Delivery, plan: FaultPlan): Promise<void> {
  const { response } = outlet
  if (plan.delayMs !== undefined) await pause(response, plan.delayMs)
  if (plan.hang) return untilClosed(response)
  if (plan.reset) return outlet.drop(true)
  if (response.destroyed) return
  const { content, headers, status } = delivery
  const connection = plan.close ? { connection: 'close' } : {}
  if (typeof content === 'string' || content instanceof Uint8Array) {
    if (delivery.tokens) outlet.bill(delivery.tokens)
    const body = plan.malformedAt === undefined ? content : breakJson(content.toString())
    response.writeHead(status, { ...headers, ...connection, ...lengthOf(body, plan) })
    return deliverBody(outlet, body, plan)
  }
  response.writeHead(status, { ...headers, ...connection })
  response.flushHeaders()
  return deliverEvents(outlet, { ...delivery, content }, plan)
}

function lengthOf(body: string | Uint8Array, plan: FaultPlan): Record<string, number> {
  return plan.hugeLineBytes === undefined ? { 'content-length': Buffer.byteLength(body) } : {}
}

async function deliverBody(outlet: Outlet, body: string | Uint8Array, plan: FaultPlan): Promise<void> {
  const { response } = outlet
  if (plan.hugeLineBytes !== undefined) {
    await writeHugeLine(response, '{"huge":"', plan.hugeLineBytes, '"}')
    response.end()
    return
  }
  if (plan.cutAfter !== undefined || plan.stallAfter !== undefined) {
    const bytes = Buffer.from(body)
    await write(response, bytes.subarray(0, bytes.length >> 1), plan)
    if (plan.stallAfter !== undefined) return untilClosed(response)
    // The half must be on its way before the socket goes.
    await pause(response, 0)
    return outlet.drop(false)
  }
  if (plan.pieceBytes !== undefined) {
    await write(response, body, plan)
    response.end()
    return
  }
  response.end(body)
}

async function deliverEvents(
  outlet: Outlet,
  { content: events, errorFrame, tokens }: EventDelivery,
  plan: FaultPlan,
): Promise<void> {
  const { response } = outlet
  const meter = tokens && createMeter(tokens, outlet)
  let sent = 0
  let contentSeen = false
  // An array or generator is walked without a promise for each event.
  const walk = Symbol.iterator in events ? events[Symbol.iterator]() : events[Symbol.asyncIterator]()
  for (;;) {
    const step = walk.next()
    const next = step instanceof Promise ? await step : step
    if (response.destroyed) return
    if (sent === plan.cutAfter) return cut(outlet)
    if (sent === plan.stallAfter) return untilClosed(response)
    if (sent === plan.errorAfter) {
      // Node.js 26 sends what is written in one turn as one piece, and an error in the first is one before the stream.
      await pause(response, 0)
      await pause(response, 0)
      response.end(errorFrame)
      return
    }
    if (next.done) break
    const event = next.value
    if ((event.kind === 'finish' && plan.noFinish) || (event.kind === 'done' && plan.noDone)) continue
    if (event.kind === 'content' && !contentSeen) {
      contentSeen = true
      if (plan.firstTokenMs !== undefined) await pause(response, plan.firstTokenMs)
      if (plan.hugeLineBytes !== undefined)
        await writeHugeLine(response, 'data: {"huge":"', plan.hugeLineBytes, '"}\n\n')
    }
    sent += 1
    const frame = sent === plan.malformedAt ? breakJson(event.frame.toString()) : event.frame
    meter?.sent(event.kind)
    const pending = write(response, decorate(frame, plan), plan)
    if (pending) await pending
    if (plan.paceMs !== undefined) await pause(response, plan.paceMs)
  }
  if (tokens) outlet.bill(tokens)
  if (plan.keepOpen) return untilClosed(response)
  response.end()
}

interface EventDelivery extends Delivery {
  readonly content: Iterable<FakeEvent> | AsyncIterable<FakeEvent>
}

/** Bills a stream as it is sent: a token per event, and all of it at its end. */
function createMeter(tokens: BilledTokens, outlet: Outlet): { sent(kind: FakeEvent['kind']): void } {
  const { promptTokens } = tokens
  let completionTokens = 0
  return {
    sent(kind) {
      if (kind === 'content') completionTokens = Math.min(completionTokens + 1, tokens.completionTokens)
      outlet.bill(kind === 'done' ? tokens : { promptTokens, completionTokens })
    },
  }
}

async function cut(outlet: Outlet): Promise<void> {
  // What was written must be on its way before the socket goes.
  await pause(outlet.response, 0)
  await pause(outlet.response, 0)
  outlet.drop(false)
}

function decorate(frame: string | Uint8Array, plan: FaultPlan): string | Uint8Array {
  if (typeof frame !== 'string') return frame
  const commented = plan.comments ? `: keep-alive\n\n${frame}` : frame
  return plan.crlf ? commented.replaceAll(/\r?\n/g, '\r\n') : commented
}

function breakJson(text: string): string {
  const end = text.lastIndexOf('}')
  return end < 0 ? `${text}{` : text.slice(0, end) + text.slice(end + 1)
}

/** Writes, in pieces where the plan says so; gives a promise only where there is something to wait for. */
function write(response: ServerResponse, data: string | Uint8Array, plan: FaultPlan): Promise<void> | undefined {
  if (plan.pieceBytes !== undefined) return writePieces(response, Buffer.from(data), plan.pieceBytes, plan.pieceMs ?? 0)
  return response.write(data) ? undefined : drained(response)
}

async function writePieces(response: ServerResponse, bytes: Buffer, size: number, waitMs: number): Promise<void> {
  for (let at = 0; at < bytes.length && !response.destroyed; at += size) {
    if (!response.write(bytes.subarray(at, at + size))) await drained(response)
    await pause(response, waitMs)
  }
}

const block = Buffer.alloc(64 * 1024, 'a')

async function writeHugeLine(response: ServerResponse, start: string, bytes: number, end: string): Promise<void> {
  response.write(start)
  for (let left = bytes; left > 0 && !response.destroyed; left -= block.length) {
    const fits = response.write(left < block.length ? block.subarray(0, left) : block)
    if (!fits) await drained(response)
  }
  if (!response.destroyed) response.write(end)
}

/** Resolves when the socket takes more, or is gone. */
function drained(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done).off('close', done)
      resolve()
    }
    response.on('drain', done).on('close', done)
  })
}

/** Resolves when the connection is gone. */
function untilClosed(response: ServerResponse): Promise<void> {
  if (response.destroyed) return Promise.resolve()
  // Headers wait for the first byte of a body unless they are pushed.
  if (response.headersSent) response.flushHeaders()
  return new Promise((resolve) => void response.once('close', () => resolve()))
}

/** Waits in real time, or until the connection is gone; 0 gives up one turn of the event loop. */
function pause(response: ServerResponse, milliseconds: number): Promise<void> {
  if (response.destroyed) return Promise.resolve()
  if (milliseconds === 0) return new Promise((resolve) => void setImmediate(resolve))
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      response.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, milliseconds)
    response.on('close', done)
  })
}
