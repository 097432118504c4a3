import { LRUCache } from 'lru-cache'
import type { Caller } from '../ports.js'
import { BytesHash } from './bytes-hash.js'

/** A request as it came: who sent which bytes where. */
export interface RawRequest {
  /** The very object that `auth` gave: another one may have other rights. */
  readonly caller: Caller
  readonly path: string
  /** Of the body, neither parsed nor unpacked. */
  readonly bytes: Uint8Array
}

/** What was found out about requests, by their very bytes: whatever differs in any way is another request. */
export interface RecentHits<T> {
  find(request: RawRequest): T | undefined
  /** `bytes`: what the value takes in memory beside the request. */
  keep(request: RawRequest, value: T, bytes: number): void
  readonly size: { readonly entries: number; readonly bytes: number }
}

interface Recent<T> extends RawRequest {
  readonly bytes: Buffer
  readonly value: T
  /** The caller as it was: a host may change an object of its own in place. */
  readonly known: Caller
}

// Written out, as loops over names cost ten times as much.
function isUnchanged(caller: Caller, known: Caller): boolean {
  return (
    caller.id === known.id &&
    caller.models === known.models &&
    caller.scopes === known.scopes &&
    caller.tags === known.tags &&
    caller.metadata === known.metadata &&
    caller.aliases === known.aliases
  )
}

// What an entry costs beside its bytes: the slots of the lists, and the objects of its value.
const entryBytes = 1_024

/** Keeps up to `maxBytes`, the requests that came last. */
export function createRecentHits<T>(maxBytes: number): RecentHits<T> {
  // The hash only says where to look, and all bytes are compared. Of two requests with one hash the later is kept.
  const known = new LRUCache<number, Recent<T>>({ maxSize: maxBytes })
  const hash = new BytesHash()
  const names = new WeakMap<Caller, number>()
  let lastName = 0

  const keyOf = ({ caller, bytes }: RawRequest): number => {
    let name = names.get(caller)
    if (name === undefined) names.set(caller, (name = lastName += 1))
    return hash.of(bytes, name)
  }
  return {
    get size() {
      return { entries: known.size, bytes: known.calculatedSize }
    },
    find(request) {
      const recent = known.get(keyOf(request))
      if (!recent || recent.caller !== request.caller || recent.path !== request.path) return undefined
      if (!isUnchanged(request.caller, recent.known)) return undefined
      return recent.bytes.equals(request.bytes) ? recent.value : undefined
    },
    keep(request, value, bytes) {
      const { caller, path } = request
      const size = entryBytes + request.bytes.byteLength + bytes
      const recent = { caller, path, bytes: Buffer.from(request.bytes), value, known: { ...caller } }
      known.set(keyOf(request), recent, { size })
    },
  }
}
