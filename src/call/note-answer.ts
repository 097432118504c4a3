import type { AttemptEntry } from '../router/trail.js'
import { type JsonObject, numberOf, stringOf } from '../wire/json.js'
import { usageOf } from '../wire/usage.js'
import { charactersOf } from './sent-answer.js'

/** Notes what a whole answer tells of what it took, for the ledger's row of its attempt; gives its usage. */
export function noteAnswer(entry: AttemptEntry, body: object): JsonObject | undefined {
  const usage = usageOf(body)
  entry.usage = usage
  if ('data' in body && Array.isArray(body.data)) entry.listed = body.data.length
  if (!numberOf(usage?.['completion_tokens'])) entry.receivedCharacters = charactersOf({ ...body })
  entry.serviceTier = stringOf(Reflect.get(body, 'service_tier'))
  return usage
}
