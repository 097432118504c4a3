import { Readable, pipeline } from 'node:stream'
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib'
import { GatewayError } from '../errors.js'

const decoders = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
} as const

/**
 * Undoes a `content-encoding` that a provider used although none was asked for.
 * @throws GatewayError upstream_invalid for an encoding that is not known, or broken data
 */
export async function* decompress(body: AsyncIterable<Buffer>, encoding: string): AsyncGenerator<Buffer> {
  const create = decoders[encoding as keyof typeof decoders]
  if (!create) throw new GatewayError('upstream_invalid', `The provider answered in the unknown encoding ${encoding}.`)
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
