import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../../src/wire/json.js'
import type { Difference } from './differences.js'
import { at, type Exchange } from './exchange.js'
import type { Dialect, Replay } from './scope.js'

/** Everything a rule may look at. */
export interface Comparison {
  readonly exchange: Exchange
  readonly replay: Replay
  readonly recorded: JsonObject
  readonly sent: JsonObject
  /** Parameters that the gateway reported as left out. */
  readonly dropped: readonly string[]
}

/** A way in which two requests differ and mean the same. */
export interface Equivalence {
  readonly name: string
  /** Why they mean the same, with the source where it is the provider's word. */
  readonly reason: string
  readonly dialects: readonly Dialect[]
  holds(difference: Difference, comparison: Comparison): boolean
}

/** The differences that are meant to be; every one that no row excuses fails the test, and so does a row never needed. */
export const equivalences: readonly Equivalence[] = [
  {
    name: 'null is absent',
    reason: 'a null parameter is one that was not set',
    dialects: ['openai', 'anthropic', 'gemini'],
    holds: ({ recorded, sent }) => recorded === null && sent === undefined,
  },
  {
    name: 'stream false is absent',
    reason: 'false is the default of stream',
    dialects: ['openai', 'anthropic'],
    holds: ({ path, recorded, sent }) => path === '.stream' && recorded === false && sent === undefined,
  },
  {
    name: 'usage is always asked for',
    reason: 'a stream is billed, so its usage is asked for whether or not the client wants to see it',
    dialects: ['openai'],
    holds: ({ path, recorded, sent }) =>
      (path === '.stream_options' && recorded === undefined && isDeepStrictEqual(sent, { include_usage: true })) ||
      (path === '.stream_options.include_usage' && recorded !== true && sent === true),
  },
  {
    name: 'reported as dropped',
    reason: 'the row says that the provider cannot honour it, and the reply says that it was left out',
    dialects: ['openai', 'anthropic', 'gemini'],
    holds: ({ path, sent }, { dropped }) => sent === undefined && dropped.includes(path.slice(1)),
  },
  {
    name: 'text parts are one string',
    reason: 'content that is one text part, or a string, means the same',
    dialects: ['openai', 'anthropic'],
    holds: ({ recorded, sent }) => isDeepStrictEqual(asText(recorded), asText(sent)),
  },
]

function asText(content: unknown): unknown {
  const text = at(content, 0, 'text')
  return Array.isArray(content) && content.length === 1 && typeof text === 'string' ? text : content
}
