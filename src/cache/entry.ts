import { LRUCache } from 'lru-cache'
import { z } from 'zod'
import { isObject, type JsonObject, parseJson } from '../wire/json.js'
import { sha256 } from './canonical.js'

/** Where an answer came from, and when. */
export interface AnswerOrigin {
  /** When it was complete, in milliseconds since the epoch. */
  readonly at: number
  /** The deployment that gave it, and what that was. */
  readonly deployment: string
  readonly modelName: string
  readonly provider: string
  readonly model: string
}

/** A complete answer as it is kept. */
export interface StoredAnswer extends AnswerOrigin {
  /** `whole`: one JSON text. `stream`: its pieces, see `stream-text.ts`. `item`: one vector of an embedding answer. */
  readonly kind: 'whole' | 'stream' | 'item'
  /** What the provider counted, in the operation's own shape. */
  readonly usage?: JsonObject | undefined
  /** Of an item: the other members of the answer that it came in. */
  readonly rest?: JsonObject | undefined
  readonly text: string
}

const Head = z.object({
  key: z.string(),
  /** SHA-256 of the text: what replays half of an answer must be found out before it does. */
  digest: z.string(),
  expires: z.number(),
  kind: z.enum(['whole', 'stream', 'item']),
  at: z.number(),
  deployment: z.string(),
  modelName: z.string(),
  provider: z.string(),
  model: z.string(),
  usage: z.record(z.string(), z.unknown()).optional(),
  rest: z.record(z.string(), z.unknown()).optional(),
})

/** An answer as the value of a store: a line that describes it, then the text as it is. */
export function writeEntry(key: string, { text, ...about }: StoredAnswer, ttlMs: number): string {
  return `${JSON.stringify({ key, digest: sha256(text), expires: about.at + ttlMs, ...about })}\n${text}`
}

/**
 * The answer that a store gave for a key; undefined for what is not ours, was written for another key, is damaged or has
 * expired.
 */
export function readEntry(key: string, value: string | null | undefined, now: number): StoredAnswer | undefined {
  if (typeof value !== 'string') return undefined
  const lineEnd = value.indexOf('\n')
  if (lineEnd < 0) return undefined
  const head = Head.safeParse(parseJson(value.slice(0, lineEnd)))
  if (!head.success) return undefined
  const { key: written, digest, expires, ...about } = head.data
  const text = value.slice(lineEnd + 1)
  if (written !== key || now >= expires || digest !== sha256(text)) return undefined
  return { ...about, text }
}

/** Reads entries like `readEntry`, and knows again what it has read and checked before. */
export interface EntryReader {
  read(key: string, value: string | null | undefined, now: number): StoredAnswer | undefined
}

interface ReadBefore {
  readonly value: string
  readonly answer: StoredAnswer
  readonly expires: number
}

const remembered = 5_000
const rememberedCharacters = 8 * 1024 * 1024

/** Builds a reader. A memory gives the same text for every hit, whose digest need not be made each time. */
export function createEntryReader(): EntryReader {
  const known = new LRUCache<string, ReadBefore>({
    max: remembered,
    maxSize: rememberedCharacters,
    sizeCalculation: ({ value }) => value.length + 1,
  })
  return {
    read(key, value, now) {
      const before = known.get(key)
      if (before && before.value === value) return now < before.expires ? before.answer : undefined
      const answer = readEntry(key, value, now)
      if (answer && typeof value === 'string') known.set(key, { value, answer, expires: expiryOf(value) })
      else known.delete(key)
      return answer
    },
  }
}

/** Of an entry that was read before. */
function expiryOf(value: string): number {
  const head = Head.safeParse(parseJson(value.slice(0, value.indexOf('\n'))))
  return head.success ? head.data.expires : 0
}

/** The JSON object that a text holds, or undefined. */
export function toJsonObject(text: string): JsonObject | undefined {
  const value = parseJson(text)
  return isObject(value) ? value : undefined
}
