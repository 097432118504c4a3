import { Readable, pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { GatewayError } from '../errors.js'
import type { ResponseBody } from './response-body.js'

const decoders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const

/**
 * Undoes a `content-encoding` that a provider used although none was asked for. Leaving it closes the connection, also
 * before the first read and during one.
 * @throws GatewayError upstream_invalid for an encoding that is not known, or broken data
 */
export function decompress(body: ResponseBody, encoding: string): AsyncIterableIterator<Buffer> {
  const decoded = decode(body, encoding)
  return {
    next: () => decoded.next(),
    async return() {
      await body.return()
      return decoded.return(undefined)
    },
    [Symbol.asyncIterator]() {
      return this
    },
  }
}

async function* decode(body: ResponseBody, encoding: string): AsyncGenerator<Buffer, undefined> {
  const create = Object.hasOwn(decoders, encoding) ? decoders[encoding as keyof typeof decoders] : undefined
  if (!create) {
    await body.return()
    throw new GatewayError('upstream_invalid', 'The provider answered in an unknown content-encoding.')
  }
  const decoder = create()
  // The error reaches us through the iteration below; the callback only keeps it from being thrown as unhandled.
  pipeline(Readable.from(body, { objectMode: false }), decoder, () => undefined)
  try {
    for await (const chunk of decoder) yield chunk as Buffer
  } catch (error) {
    if (GatewayError.isInstance(error)) throw error
    throw new GatewayError('upstream_invalid', `The provider's ${encoding} data is broken.`, { cause: error })
  } finally {
    decoder.destroy()
  }
}
