import type { IncomingMessage } from 'node:http'
import { alreadyRead, clientClosed, tooLarge } from './json-body.js'

// A client that sends byte by byte costs a hundred times its bytes in Buffer objects; so many are joined at a time.
const piecesPerBlock = 1024

/**
 * Reads what the client uploads, up to a limit in bytes, counted as they arrive; what has arrived is given at once.
 * Beyond the limit the rest is let through to nowhere, so that the client gets to read the refusal.
 * @throws GatewayError payload_too_large, client_closed; internal when something else has read it; always as a rejection
 */
export function readUpload(incoming: IncomingMessage, limitBytes: number): Promise<Uint8Array> | Uint8Array {
  if (incoming.readableDidRead) return Promise.reject(alreadyRead())
  if (incoming.readableEnded) return Promise.resolve(new Uint8Array())
  if (incoming.destroyed) return Promise.reject(clientClosed())
  const declared = incoming.headers['content-length']
  const length = declared === undefined ? undefined : Number(declared)
  if (length !== undefined && length > limitBytes) {
    incoming.resume()
    return Promise.reject(tooLarge(limitBytes))
  }
  return takeArrived(incoming, length, limitBytes) ?? collect(incoming, limitBytes)
}

/** Whether all of an upload may be there a turn later. A host that listens would have taken it until then. */
export function isArriving(incoming: IncomingMessage): boolean {
  // HTTP/2 gives a body only to who listens.
  return !incoming.complete && incoming.readableFlowing === null && incoming.httpVersionMajor === 1
}

/**
 * An upload that has come as a whole while nobody listened; listeners of its own would be half its cost.
 * @param declared its length as its head tells it
 */
function takeArrived(
  incoming: IncomingMessage,
  declared: number | undefined,
  limitBytes: number,
): Uint8Array | undefined {
  // HTTP/2's stand-in for a request is complete also where it was aborted.
  if (!incoming.complete || incoming.readableFlowing !== null || incoming.httpVersionMajor !== 1) return undefined
  const length = incoming.readableLength
  // A request that a host made by hand may call itself complete before its body is there.
  if (declared === undefined ? length === 0 : length !== declared) return undefined
  if (length > limitBytes || incoming.readableEncoding !== null) return undefined
  // Also of an empty body, as it ends only then.
  const first: Uint8Array | null = incoming.read()
  return (first?.byteLength ?? 0) === length ? (first ?? new Uint8Array()) : joinRest(incoming, first)
}

/** From Node.js 26 on `read()` gives a body piece by piece, as it came. */
function joinRest(incoming: IncomingMessage, first: Uint8Array | null): Uint8Array {
  const pieces: Uint8Array[] = []
  for (let piece = first; piece !== null; piece = incoming.read()) pieces.push(piece)
  return Buffer.concat(pieces)
}

function collect(incoming: IncomingMessage, limitBytes: number): Promise<Uint8Array> {
  return new Promise((resolve, reject) => {
    const blocks: Uint8Array[] = []
    let pieces: Uint8Array[] = []
    let total = 0
    const onData = (data: Uint8Array | string): void => {
      // A host that called setEncoding() makes the stream give text.
      const piece = typeof data === 'string' ? Buffer.from(data, incoming.readableEncoding ?? 'utf8') : data
      total += piece.byteLength
      if (total > limitBytes) {
        blocks.length = 0
        pieces = []
        incoming.off('data', onData)
        incoming.resume()
        return reject(tooLarge(limitBytes))
      }
      if (pieces.push(piece) < piecesPerBlock) return
      blocks.push(Buffer.concat(pieces))
      pieces = []
    }
    incoming.on('data', onData)
    incoming.on('end', () => resolve(join(blocks, pieces)))
    incoming.on('error', (error) => reject(clientClosed(error)))
    // Comes after every 'end' too, where an error would be made for nobody.
    incoming.on('close', () => incoming.readableEnded || reject(clientClosed()))
    if (incoming.isPaused()) incoming.resume()
  })
}

function join(blocks: readonly Uint8Array[], pieces: readonly Uint8Array[]): Uint8Array {
  const [only] = pieces
  if (only !== undefined && pieces.length === 1 && blocks.length === 0) return only
  return Buffer.concat([...blocks, ...pieces])
}
