import type { CacheHit } from '../cache/found.js'
import type { RawRequest } from '../cache/recent-hits.js'
import type { ModelGroup } from '../router/model-group.js'
import type { Operation, Operations } from '../wire/operations.js'
import type { CallContext, CallParts } from './context.js'
import type { DecodedAnswer } from './read-answer.js'

/** A call that was answered from the cache. */
export interface KnownCall<K extends Operation> {
  readonly operation: K
  readonly request: Operations[K]['request']
  /** What its model was then. */
  readonly group: ModelGroup
  readonly hit: CacheHit
  readonly answer: DecodedAnswer<K>
}

/** Such a call, found again, and the hit as it is now. */
export interface FoundCall {
  readonly known: KnownCall<Operation>
  readonly hit: CacheHit
}

type Headers = CallContext['headers']

const credential = 'x-litellm-api-key'
const letterX = 0x78

/** False where headers tell the gateway something: then the bytes are not all that decides. */
function isAllInBytes(headers: Headers): boolean {
  if (headers['cache-control'] !== undefined || headers['idempotency-key'] !== undefined) return false
  for (const name in headers) {
    if (name.charCodeAt(0) !== letterX) continue
    if (name.startsWith('x-sluice-') || (name.startsWith('x-litellm-') && name !== credential)) return false
  }
  return true
}

/** Keeps a call that was answered from the cache, to be found again by the bytes of its request. */
export function keepKnown<K extends Operation>(
  raw: RawRequest,
  known: KnownCall<K>,
  headers: Headers,
  { earlier: { recent } }: CallParts,
): void {
  const { kind, text } = known.hit.source
  // Embeddings are put together from several entries.
  if (!recent || kind !== 'whole' || known.operation === 'embeddings' || !isAllInBytes(headers)) return
  const written = Buffer.from(text)
  const answer: DecodedAnswer<K> = {
    written,
    get body() {
      return known.answer.body
    },
  }
  // A parsed request takes about twice its bytes.
  recent.keep(raw, { ...known, answer }, 2 * (raw.bytes.byteLength + text.length) + written.byteLength)
}

/**
 * Finds the call that these very bytes were answered for from the cache, where the same answer is the one to give: the
 * caller may use the model, which is what it was, and the cache has the answer still. Undefined sends the request the
 * whole way, which also tells what is wrong with it.
 */
export function findKnown(
  raw: RawRequest,
  headers: Headers,
  { earlier, running, directory }: CallParts,
): FoundCall | undefined {
  if (running.closed || !isAllInBytes(headers)) return undefined
  const known = earlier.recent?.find(raw)
  const hit = known && earlier.cache?.again(known.hit)
  if (!hit) return undefined
  try {
    if (directory.groups.resolve(known.request.model, raw.caller) !== known.group) return undefined
  } catch {
    return undefined
  }
  return { known, hit }
}
