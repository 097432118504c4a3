import { z } from 'zod'
import { type FailureKind, failureRules, GatewayError, type UpstreamDetail } from '../errors.js'
import { parseJson } from '../wire/json.js'
import { readEntry, type StoredAnswer, writeEntry } from './entry.js'

/** What a key stands for: a call under way, its answer, an error that repeats, or an answer too large to be kept. */
export type KeyState =
  | { readonly state: 'running' }
  | { readonly state: 'done'; readonly answer: StoredAnswer }
  | { readonly state: 'failed'; readonly error: GatewayError }
  | { readonly state: 'lost' }

/** What a store holds for a key. */
export type KeyRecord = KeyState & {
  /** Of the request that the key came with first. */
  readonly digest: string
  /** Which call it is. */
  readonly owner: string
}

const isKind = (kind: unknown): kind is FailureKind => typeof kind === 'string' && Object.hasOwn(failureRules, kind)

const Failure = z.object({
  kind: z.custom<FailureKind>(isKind),
  message: z.string(),
  status: z.number(),
  type: z.string(),
  param: z.string().nullable(),
  code: z.string().nullable(),
  upstream: z.custom<UpstreamDetail>((value) => typeof value === 'object' && value !== null).optional(),
})

const Head = z.object({
  key: z.string(),
  digest: z.string(),
  owner: z.string(),
  state: z.enum(['running', 'done', 'failed', 'lost']),
  error: Failure.optional(),
})

/** A record as the value of a store. */
export function writeRecord(key: string, record: KeyRecord, ttlMs: number): string {
  const { digest, owner, state } = record
  const head = { key, digest, owner, state }
  if (record.state === 'done') return `${JSON.stringify(head)}\n${writeEntry(key, record.answer, ttlMs)}`
  if (record.state !== 'failed') return `${JSON.stringify(head)}\n`
  const { kind, message, status, type, param, code, upstream } = record.error
  return `${JSON.stringify({ ...head, error: { kind, message, status, type, param, code, upstream } })}\n`
}

/** The record that a store gave for a key; undefined for what is not ours or damaged. */
export function readRecord(key: string, value: string, now: number): KeyRecord | undefined {
  const lineEnd = value.indexOf('\n')
  const head = Head.safeParse(parseJson(value.slice(0, Math.max(lineEnd, 0))))
  if (!head.success || head.data.key !== key) return undefined
  const { digest, owner, state, error } = head.data
  if (state === 'done') {
    const answer = readEntry(key, value.slice(lineEnd + 1), now)
    return answer && { digest, owner, state, answer }
  }
  if (state !== 'failed') return { digest, owner, state }
  return error && { digest, owner, state, error: toError(error) }
}

function toError({ kind, message, ...options }: z.infer<typeof Failure>): GatewayError {
  const { upstream, ...rest } = options
  return new GatewayError(kind, message, { ...rest, ...(upstream && { upstream }) })
}
