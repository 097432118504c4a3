import type { CachedGroup } from '../../src/cache/cache-key.js'
import type { CacheQuestion, Producer } from '../../src/cache/cache-plan.js'
import type { CacheOptions } from '../../src/cache/options.js'
import { createResponseCache, type ResponseCache } from '../../src/cache/response-cache.js'
import type { StreamPiece } from '../../src/cache/stream-text.js'
import { readCacheWishes } from '../../src/cache/wishes.js'
import type { Deployment } from '../../src/deployment.js'
import type { Caller } from '../../src/ports.js'
import type { ChatChunk, ChatCompletion, ChatRequest } from '../../src/wire/chat.js'
import type { EmbeddingRequest } from '../../src/wire/embeddings.js'
import { anyCaller, deploymentOf } from '../support/deployment.js'
import { FakeClock } from '../support/fake-clock.js'
import { FakeStore, silent } from './fake-store.js'

/** A cache over a fake store and clock. */
export interface Bench {
  readonly clock: FakeClock
  readonly store: FakeStore
  readonly cache: ResponseCache
}

export function createBench(options: CacheOptions = {}): Bench {
  const clock = new FakeClock()
  const store = new FakeStore(clock)
  return { clock, store, cache: createResponseCache(options, { store, clock, logger: silent }) }
}

export function groupOf(name: string, own: Partial<Deployment> = {}): CachedGroup {
  return { name, members: [{ deployment: deploymentOf({ modelName: name, ...own }) }] }
}

export const fast = groupOf('fast', { id: 'fast-1', model: 'm1' })

/** The first member of a group as who gave an answer. */
export function producerOf(group: CachedGroup = fast, billable = true): Producer {
  const [member] = group.members
  if (!member) throw new TypeError('an empty group')
  return { deployment: member.deployment, group, billable }
}

export interface Asking {
  readonly caller?: Caller
  readonly group?: CachedGroup
  readonly cacheControl?: string
  readonly signal?: AbortSignal
}

/** A question about a chat. */
export function chat(own: Partial<ChatRequest> = {}, asking: Asking = {}): CacheQuestion<'chat'> {
  const request: ChatRequest = { model: 'fast', messages: [{ role: 'user', content: 'hi' }], ...own }
  return { ...ask(request, asking), operation: 'chat', request }
}

/** A question about embeddings. */
export function embed(
  input: EmbeddingRequest['input'],
  own: Partial<EmbeddingRequest> = {},
  asking: Asking = {},
): CacheQuestion<'embeddings'> {
  const request: EmbeddingRequest = { model: 'fast', input, ...own }
  return { ...ask(request, asking), operation: 'embeddings', request }
}

function ask(
  request: ChatRequest | EmbeddingRequest,
  asking: Asking,
): Omit<CacheQuestion<never>, 'operation' | 'request'> {
  const { caller = anyCaller, group = fast, cacheControl, signal } = asking
  return { caller, group, wishes: readCacheWishes(request, cacheControl), signal }
}

export function completionOf(content: string): ChatCompletion {
  return {
    id: `id-${content}`,
    object: 'chat.completion',
    created: 1,
    model: 'm1',
    choices: [{ index: 0, message: { role: 'assistant', content }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
  }
}

const chunkOf = (choice: Partial<ChatChunk['choices'][number]> | undefined, usage?: ChatChunk['usage']): ChatChunk => ({
  id: 'c',
  object: 'chat.completion.chunk',
  created: 1,
  model: 'm1',
  choices: choice ? [{ index: 0, delta: {}, finish_reason: null, ...choice }] : [],
  ...(usage && { usage }),
})

/** The pieces of a stream: a role, texts as they were forwarded, the finish reason, the usage. */
export function piecesOf(...texts: string[]): StreamPiece[] {
  const usage = { prompt_tokens: 1, completion_tokens: texts.length, total_tokens: texts.length + 1 }
  return [
    { chunk: chunkOf({ delta: { role: 'assistant' } }), forward: undefined },
    ...texts.map((content) => ({
      chunk: undefined,
      forward: { data: JSON.stringify(chunkOf({ delta: { content } })) },
    })),
    { chunk: chunkOf({ finish_reason: 'stop' }), forward: undefined },
    { chunk: chunkOf(undefined, usage), forward: undefined },
  ]
}

/** @throws Error for a miss */
export function hitOf<T extends { readonly status: string }>(found: T | undefined): Extract<T, { status: 'hit' }> {
  if (found?.status !== 'hit') throw new Error(`a hit was expected, not ${found?.status}`)
  return found as Extract<T, { status: 'hit' }>
}

/** @throws Error for a hit */
export function missOf<T extends { readonly status: string }>(found: T | undefined): Exclude<T, { status: 'hit' }> {
  if (!found || found.status === 'hit') throw new Error('a miss was expected')
  return found as Exclude<T, { status: 'hit' }>
}
