import { LRUCache } from 'lru-cache'
import type { Clock } from '../ports.js'
import { CallSignal } from './call-signal.js'
import type { OutgoingRequest, UpstreamClient } from './client.js'
import { readBody } from './response-body.js'

/** A credential that was fetched, and until when it is good. */
export interface FetchedToken {
  readonly token: string
  /** Milliseconds since the epoch. */
  readonly expiresAt: number
}

/** A small request of a token exchange, and what came back. */
export type TokenExchange = (request: OutgoingRequest) => Promise<{ readonly status: number; readonly text: string }>

/** Tokens by credential, renewed before they expire, by one caller at a time; the others wait for the same one. */
export interface TokenCache {
  /** `key` identifies the credential and is never logged. `fetch` gets the way out of the process. */
  get(key: string, fetch: (exchange: TokenExchange) => Promise<FetchedToken>): Promise<string>
  /** Forgets a token that the provider refused, if it is still the one in use. */
  forget(token: string): void
}

// A token in its last minute may be refused by the time it arrives.
const renewBeforeMs = 60_000
const mostTokens = 1_000

/** Builds a cache; `exchange` sends its requests. */
export function createTokenCache(clock: Clock, exchange: TokenExchange): TokenCache {
  const tokens = new LRUCache<string, FetchedToken>({ max: mostTokens })
  const fetching = new Map<string, Promise<FetchedToken>>()
  return {
    async get(key, fetch) {
      const known = tokens.get(key)
      if (known && known.expiresAt - renewBeforeMs > clock.now()) return known.token
      const running = fetching.get(key)
      if (running) return (await running).token
      const started = fetch(exchange)
      fetching.set(key, started)
      try {
        const fetched = await started
        tokens.set(key, fetched)
        return fetched.token
      } finally {
        fetching.delete(key)
      }
    },
    forget(token) {
      for (const [key, entry] of tokens.entries()) if (entry.token === token) tokens.delete(key)
    },
  }
}

const exchangeTimeouts = { connect: 10_000, headers: 10_000 }
const exchangeTotalMs = 15_000
const maxAnswerBytes = 1024 * 1024

/** The exchange over a gateway's own client, with deadlines of its own: several calls may wait for one token. */
export function createTokenExchange(client: UpstreamClient, clock: Clock): TokenExchange {
  return async (request) => {
    const signal = new CallSignal(clock, exchangeTotalMs)
    try {
      const response = await client.send(request, signal, exchangeTimeouts)
      const bytes = await readBody(response.body, maxAnswerBytes)
      return { status: response.status, text: bytes.toString('utf8') }
    } finally {
      signal.dispose()
    }
  }
}
