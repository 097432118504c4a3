import { once } from 'node:events'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { isArriving, readUpload } from '../../adapters/node-upload.js'

/** A request as hosts make them by hand, of another kind of request: it calls itself complete from the start. */
function handmade(headers: Record<string, string> = {}): IncomingMessage {
  const incoming = new IncomingMessage(new Socket())
  return Object.assign(incoming, { complete: true, httpVersionMajor: 1, headers })
}

const later = (act: () => void): unknown => setTimeout(act, 5)
const textOf = async (given: ReturnType<typeof readUpload>): Promise<string> => Buffer.from(await given).toString()

describe('readUpload', () => {
  it.each([
    ['with a length', { 'content-length': '7' }],
    ['without one', {}],
  ])('waits for the body of a request that calls itself complete before it is there, %s', async (_, headers) => {
    const incoming = handmade(headers)
    later(() => {
      incoming.push('{"a":1}')
      incoming.push(null)
    })
    expect(await textOf(readUpload(incoming, 100))).toBe('{"a":1}')
  })

  it('waits for the rest of such a body, which is in part there', async () => {
    const incoming = handmade({ 'content-length': '7' })
    incoming.push('{"a"')
    later(() => {
      incoming.push(':1}')
      incoming.push(null)
    })
    expect(await textOf(readUpload(incoming, 100))).toBe('{"a":1}')
  })

  it.each([
    ['with a length', { 'content-length': '7' }],
    ['without one', {}],
  ])('takes all pieces of a body, also where each is read by itself as in Node.js 26, %s', async (_, headers) => {
    const incoming = handmade(headers)
    for (const piece of ['{"a"', ':1}', null]) incoming.push(piece)
    const read = incoming.read.bind(incoming)
    incoming.read = (): unknown => read(4)
    const ended = once(incoming, 'end')
    expect(await textOf(readUpload(incoming, 100))).toBe('{"a":1}')
    await ended
  })

  it('takes bytes of another realm, as test runners make them, for bytes', async () => {
    const incoming = handmade({ 'content-length': '2' })
    incoming.push('[]')
    incoming.push(null)
    const read = incoming.read.bind(incoming)
    incoming.read = (): unknown => read() && runInNewContext('new Uint8Array([91, 93])')
    expect(await textOf(readUpload(incoming, 100))).toBe('[]')
  })
})

describe('isArriving', () => {
  const incomplete = (own: object = {}): IncomingMessage => Object.assign(handmade(), { complete: false, ...own })

  it('is true of a body that nobody listens to, and that is not there yet', () => {
    expect(isArriving(incomplete())).toBe(true)
    expect(isArriving(handmade())).toBe(false)
  })

  it('is false where a host listens, has paused it, or where it comes by HTTP/2', () => {
    expect(isArriving(incomplete().on('data', () => undefined))).toBe(false)
    expect(isArriving(incomplete().on('readable', () => undefined))).toBe(false)
    expect(isArriving(incomplete().pause())).toBe(false)
    expect(isArriving(incomplete({ httpVersionMajor: 2 }))).toBe(false)
  })
})
