import { promisify } from 'node:util'
import { brotliDecompress, gunzip, inflate } from 'node:zlib'
import { GatewayError, InvalidRequestError } from '../src/index.js'
import { parseAroundData } from './large-json.js'

const jsonType = /^\s*(?:application|text)\/(?:[\w.!#$&^`*~'|-]+\+)?json\s*(?:;|$)/i

/**
 * Refuses a body that is declared as anything but JSON; no declaration passes, but not from a browser. Also asked for a
 * body that the host parsed: a page of another site can send a form, or bytes without a type, in the name of whoever is
 * logged in here, but no JSON.
 * @throws GatewayError unsupported_media_type
 */
export function assertJsonType(contentType: string | undefined, isFromBrowser: boolean): void {
  if (contentType === 'application/json') return
  if (contentType ? jsonType.test(contentType) : !isFromBrowser) return
  throw new GatewayError('unsupported_media_type', 'The request body must be sent as content-type application/json.')
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true })

/** Parses the bytes or the text of a body. @throws InvalidRequestError naming what is wrong, without quoting the body */
export function parseJson(body: Uint8Array | string): unknown {
  try {
    return (typeof body === 'string' ? undefined : parseAroundData(body, decodeUtf8)) ?? parseWhole(body)
  } catch (error) {
    if (GatewayError.isInstance(error)) throw error
    throw new InvalidRequestError(`The request body is not valid JSON${syntaxDetail(error)}.`, null, error)
  }
}

function parseWhole(body: Uint8Array | string): unknown {
  const text = typeof body === 'string' ? body : decodeUtf8(body)
  if (text === '') throw new InvalidRequestError('The request body is empty; send a JSON object.')
  return JSON.parse(text)
}

function decodeUtf8(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes)
  } catch (error) {
    throw new InvalidRequestError('The request body is not valid UTF-8.', null, error)
  }
}

function syntaxDetail(error: unknown): string {
  if (!(error instanceof SyntaxError)) return ''
  // V8 quotes a piece of the text, which may be a prompt; only the part before it is told.
  const detail = error.message.replace(/, (?:\.\.\.)?".*$/s, '').replace(/ is not valid JSON$/, '')
  return `: ${detail}`
}

type Inflate = (bytes: Uint8Array, options: { readonly maxOutputLength: number }) => Promise<Uint8Array>

const inflaters: ReadonlyMap<string, Inflate> = new Map<string, Inflate>([
  ['gzip', promisify(gunzip)],
  ['x-gzip', promisify(gunzip)],
  ['deflate', promisify(inflate)],
  ['br', promisify(brotliDecompress)],
])

/** Undoes a `content-encoding`, or null where there is nothing to undo. @throws GatewayError unsupported_media_type */
export function inflaterFor(
  contentEncoding: string | undefined,
): ((bytes: Uint8Array, limitBytes: number) => Promise<Uint8Array>) | null {
  if (contentEncoding === undefined) return null
  const encoding = contentEncoding.trim().toLowerCase()
  if (encoding === '' || encoding === 'identity') return null
  const inflateBytes = inflaters.get(encoding)
  if (inflateBytes === undefined) {
    const known = [...inflaters.keys()].join(', ')
    throw new GatewayError('unsupported_media_type', `The content-encoding must be one of ${known}, or left out.`)
  }
  return (bytes, limitBytes) => inflateWithin(inflateBytes, bytes, limitBytes)
}

async function inflateWithin(inflateBytes: Inflate, bytes: Uint8Array, limitBytes: number): Promise<Uint8Array> {
  // An empty body is told as empty, not as a broken archive.
  if (bytes.byteLength === 0) return bytes
  try {
    return await inflateBytes(bytes, { maxOutputLength: limitBytes })
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge(limitBytes)
    throw new InvalidRequestError('The request body does not decode as its content-encoding says.', null, error)
  }
}

/** The refusal of a body above the limit, compressed or not. */
export function tooLarge(limitBytes: number): GatewayError {
  return new GatewayError('payload_too_large', `The request body is larger than the limit of ${limitBytes} bytes.`)
}

/** What a call is ended with when its client went away; nobody is left to read it. */
export function clientClosed(cause?: unknown): GatewayError {
  return new GatewayError('client_closed', 'The client closed the connection.', { cause })
}

/** The refusal of a body that something else consumed without leaving it parsed. */
export function alreadyRead(): GatewayError {
  return new GatewayError(
    'internal',
    'The request body was read before the gateway and not left parsed. Mount the gateway before whatever reads it, or let a JSON body parser read it.',
  )
}
