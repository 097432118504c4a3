import { isObject, type JsonObject } from '../../src/wire/json.js'
import { addedTo, describeDifference, missingFrom, type Difference } from './differences.js'
import { equivalences, type Comparison } from './equivalences.js'
import { at, textOf, type Exchange } from './exchange.js'
import { canonicalGemini } from './gemini-canonical.js'
import type { Replay } from './scope.js'
import type { Sent } from './upstream.js'

/** What is wrong with what was sent for a recorded request. */
export interface RequestCheck {
  readonly problems: readonly string[]
  /** Names of the equivalences that were needed. */
  readonly excused: readonly string[]
}

/** Compares what arrived at the provider's end with what was recorded; `dropped` are parameters reported as left out. */
export function checkRequest(exchange: Exchange, replay: Replay, sent: Sent, dropped: readonly string[]): RequestCheck {
  const { request } = exchange
  if (!request) return { problems: [], excused: [] }
  const [recorded, body] = [canonical(request.body, replay), canonical(sent.body, replay)]
  const strict = replay.dialect === 'openai'
  const differences = [...missingFrom(body, recorded), ...(strict ? addedTo(body, recorded) : [])]
  const comparison: Comparison = { exchange, replay, recorded, sent: body, dropped }
  const excused: string[] = []
  const problems = differences.filter((difference) => {
    const excuse = equivalences.find((rule) => isExcused(rule.dialects, replay) && rule.holds(difference, comparison))
    if (excuse) excused.push(excuse.name)
    return excuse === undefined
  })
  return { problems: [...checkPath(request.url, replay, sent), ...lines(problems)], excused }
}

function isExcused(dialects: readonly string[], replay: Replay): boolean {
  return dialects.includes(replay.dialect)
}

function lines(differences: readonly Difference[]): readonly string[] {
  const shown = differences.slice(0, 6).map((difference) => `request ${describeDifference(difference)}`)
  return differences.length > 6 ? [...shown, `request: ${differences.length - 6} more differences`] : shown
}

function canonical(body: unknown, replay: Replay): JsonObject {
  if (!isObject(body)) return {}
  return replay.dialect === 'gemini' ? canonicalGemini(body) : body
}

/** The method of the API at the end of the path; hosts and prefixes are the deployment's own. */
function checkPath(url: string, replay: Replay, sent: Sent): readonly string[] {
  const [recorded, got] = [lastSegment(url), lastSegment(sent.path)]
  if (replay.dialect === 'gemini' && replay.operation === 'embeddings') return []
  if (recorded !== got) return [`path ${got} where ${recorded} was recorded`]
  const streamed = got.endsWith(':streamGenerateContent')
  const asked = new URL(sent.path, 'http://upstream').searchParams.get('alt')
  return streamed && asked !== 'sse' ? ['a stream that is not asked for as SSE'] : []
}

function lastSegment(url: string): string {
  return new URL(url, 'http://upstream').pathname.split('/').at(-1) ?? ''
}

/** The name of the model in a recorded request: in its body, or in Google's path. */
export function recordedModel(exchange: Exchange): string {
  const inPath = /\/models\/([^/:?]+):/.exec(exchange.request?.url ?? '')?.[1]
  return inPath ?? (textOf(at(exchange.request?.body, 'model')) || exchange.entry.model || 'm')
}
