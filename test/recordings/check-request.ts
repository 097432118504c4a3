import { isObject, type JsonObject } from '../../src/wire/json.js'
import { addedTo, describeDifference, missingFrom, type Difference } from './differences.js'
import type { Comparison, Equivalence } from './equivalence.js'
import { equivalences } from './equivalences.js'
import { at, textOf, type Exchange } from './exchange.js'
import { furtherDialect } from './further/index.js'
import { canonicalGemini, canonicalGeminiEmbeddings } from './gemini-canonical.js'
import { canonicalResponses } from './reverse-responses.js'
import { anyServer, type Replay } from './scope.js'
import type { Sent } from './upstream.js'

/** What is wrong with what was sent for a recorded request. */
export interface RequestCheck {
  readonly problems: readonly string[]
  /** The equivalences that were needed. */
  readonly excused: readonly Equivalence[]
}

/** Compares what arrived at the provider's end with what was recorded; `dropped` are parameters reported as left out. */
export function checkRequest(exchange: Exchange, replay: Replay, sent: Sent, dropped: readonly string[]): RequestCheck {
  const { request } = exchange
  if (!request) return { problems: [], excused: [] }
  const [recorded, body] = [canonical(request.body, replay), canonical(sent.body, replay)]
  const strict = replay.dialect === 'openai' || replay.dialect === 'responses'
  const differences = [...missingFrom(body, recorded), ...(strict ? addedTo(body, recorded) : [])]
  const comparison: Comparison = { exchange, replay, recorded, sent: body, dropped }
  const excused: Equivalence[] = []
  const problems = differences.filter((difference) => {
    const excuse = equivalences[replay.dialect].find((rule) => rule.holds(difference, comparison))
    if (excuse) excused.push(excuse)
    return excuse === undefined
  })
  return {
    problems: [
      ...(furtherDialect(replay.dialect)?.otherPath?.(exchange) ? [] : checkPath(request.url, replay, sent)),
      ...lines(problems),
    ],
    excused,
  }
}

function lines(differences: readonly Difference[]): readonly string[] {
  const shown = differences.slice(0, 6).map((difference) => `request ${describeDifference(difference)}`)
  return differences.length > 6 ? [...shown, `request: ${differences.length - 6} more differences`] : shown
}

function canonical(body: unknown, replay: Replay): JsonObject {
  if (!isObject(body)) return {}
  const further = furtherDialect(replay.dialect)
  if (further) return further.canonical?.(body) ?? body
  if (replay.dialect === 'responses') return canonicalResponses(body)
  if (replay.dialect !== 'gemini') return body
  return replay.operation === 'embeddings' ? canonicalGeminiEmbeddings(body) : canonicalGemini(body)
}

/** The method of the API at the end of the path; hosts and prefixes are the deployment's own. */
function checkPath(url: string, replay: Replay, sent: Sent): readonly string[] {
  const [recorded, got] = [endOfPath(url), endOfPath(sent.path)]
  // Other servers have paths of their own, and a host gives them with the address.
  if (replay.provider === anyServer) return []
  // Models had addresses of their own before there was a router.
  if (replay.provider === 'huggingface' && /api-inference|\/models\//.test(url)) return []
  // One text or several, we always ask for a batch; and without a model the recorded path is not one.
  if (replay.dialect === 'gemini' && (replay.operation === 'embeddings' || recorded.startsWith(':'))) return []
  if (recorded !== got) return [`path ${got} where ${recorded} was recorded`]
  const streamed = got.endsWith(':streamGenerateContent')
  const asked = new URL(sent.path, 'http://upstream').searchParams.get('alt')
  return streamed && asked !== 'sse' ? ['a stream that is not asked for as SSE'] : []
}

/** The last segment; with Google, whose models may have slashes, all that follows `models/`. */
function endOfPath(url: string): string {
  const path = decodeURIComponent(new URL(url, 'http://upstream').pathname)
  return /\/models\/(?!chat\/)(.+)$/.exec(path)?.[1] ?? path.split('/').at(-1) ?? ''
}

/** The name of the model in a recorded request: in its body, or in Google's path. */
export function recordedModel(exchange: Exchange, dialect: string): string {
  const known = furtherDialect(dialect)?.model?.(exchange)
  if (known !== undefined) return known
  const path = decodeURIComponent(new URL(exchange.request?.url ?? '', 'http://upstream').pathname)
  const inPath = /\/models\/(.*):\w+$/.exec(path)?.[1]
  if (inPath !== undefined) return inPath || 'm'
  return textOf(at(exchange.request?.body, 'model')) || exchange.entry.model || 'm'
}
