import { z } from 'zod'
import type { Operation } from '../wire/operations.js'

/** Who shares answers: the caller alone, its team, or everybody. */
export type CacheScope = 'caller' | 'team' | 'global'

/** How answers are kept to be given again. */
export interface CacheOptions {
  /** How long an answer is kept, unless the request says otherwise. @default 60 s */
  readonly ttlMs?: number | undefined
  /** Of the cache in memory, and of all streams together that are being collected. @default 64 MB */
  readonly maxBytes?: number | undefined
  /** A larger answer is not kept. @default 1 MB */
  readonly maxEntryBytes?: number | undefined
  /** Who shares answers unless the request says otherwise; a caller without a team has its own. @default caller */
  readonly scope?: CacheScope | undefined
  /** What a request may choose as `cache.scope` besides `caller` and `scope`; others are a 403. @default none */
  readonly allowScopes?: readonly CacheScope[] | undefined
  /** With `default_off` only requests with `cache: {"use-cache": true}` or `caching: true` take part. @default default_on */
  readonly mode?: 'default_on' | 'default_off' | undefined
  /** @default all: chat, completions, embeddings, images */
  readonly operations?: readonly Operation[] | undefined
  /** Answers identical requests of one process that come while the first one is running with the answer to that one. @default false */
  readonly coalesce?: boolean | undefined
  /** How long such a request waits before it is sent on its own. @default 120 s */
  readonly coalesceWaitMs?: number | undefined
  /** Keeps the entries of gateways apart that share a store. @default none */
  readonly namespace?: string | undefined
  /** Further fields of a body that do not make another request, such as `metadata` that differs every time. @default none */
  readonly ignoreFields?: readonly string[] | undefined
}

const scope = z.enum(['caller', 'team', 'global'])
const positive = z.number().int().positive().optional()

/** Shape of `CacheOptions`; unknown settings are errors. */
export const cacheOptions = z.strictObject({
  ttlMs: positive,
  maxBytes: positive,
  maxEntryBytes: positive,
  scope: scope.optional(),
  allowScopes: z.array(scope).optional(),
  mode: z.enum(['default_on', 'default_off']).optional(),
  operations: z.array(z.enum(['chat', 'completions', 'embeddings', 'images'])).optional(),
  coalesce: z.boolean().optional(),
  coalesceWaitMs: positive,
  namespace: z.string().optional(),
  ignoreFields: z.array(z.string()).optional(),
})

/** Every setting with its value. */
export interface CacheSettings {
  readonly ttlMs: number
  readonly maxBytes: number
  readonly maxEntryBytes: number
  readonly scope: CacheScope
  readonly allowScopes: ReadonlySet<CacheScope>
  readonly mode: 'default_on' | 'default_off'
  readonly operations: ReadonlySet<Operation>
  readonly coalesce: boolean
  readonly coalesceWaitMs: number
  readonly namespace: string
  readonly ignoreFields: ReadonlySet<string>
}

/** The settings that the options stand for. */
export function toCacheSettings(options: CacheOptions): CacheSettings {
  const ownScope = options.scope ?? 'caller'
  return {
    ttlMs: options.ttlMs ?? 60_000,
    maxBytes: options.maxBytes ?? 64 * 1024 * 1024,
    maxEntryBytes: options.maxEntryBytes ?? 1024 * 1024,
    scope: ownScope,
    allowScopes: new Set<CacheScope>(['caller', ownScope, ...(options.allowScopes ?? [])]),
    mode: options.mode ?? 'default_on',
    operations: new Set(options.operations ?? ['chat', 'completions', 'embeddings', 'images']),
    coalesce: options.coalesce ?? false,
    coalesceWaitMs: options.coalesceWaitMs ?? 120_000,
    namespace: options.namespace ?? '',
    ignoreFields: new Set([...ignoredFields, ...(options.ignoreFields ?? [])]),
  }
}

// Fields of a body that cannot change the answer. Everything else counts, also what nobody knows, and also the
// gateway's other fields: `extra_body`, `drop_params`, `tags` or `fallbacks` decide what is asked, and of whom.
const ignoredFields: readonly string[] = [
  // The resolved group and what it stands for are in the key instead.
  'model',
  // The wishes for the cache itself; of these, scope and namespace are in the key.
  'cache',
  'caching',
  // How long and how often is tried.
  'max_retries',
  'num_retries',
  'request_timeout',
  'stream_timeout',
  'timeout',
  // Names and notes for logs, different every time.
  'litellm_call_id',
  'litellm_session_id',
  'litellm_trace_id',
  'no-log',
  // Which deployment is asked, not what.
  'session_id',
]
