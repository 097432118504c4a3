import type { JsonObject } from '../../../src/wire/json.js'
import type { Answer } from '../answer.js'
import type { Equivalence } from '../equivalence.js'
import type { Exchange } from '../exchange.js'
import type { Replay } from '../scope.js'

/** What the replay needs to know of one dialect. */
export interface FurtherDialect {
  /** The request in OpenAI's format, without its model, whose translation has to be the recorded one. */
  request(exchange: Exchange, replay: Replay): JsonObject
  /** A recorded answer of chat or text completions. */
  answer?(payloads: readonly unknown[], exchange: Exchange): Answer
  /** The members of recorded embeddings or images, each as `{ embedding }`, `{ url }` or `{ b64_json }`. */
  data?(recorded: unknown): readonly JsonObject[]
  /** The model's name at the provider, where the recorded body does not tell. */
  model?(exchange: Exchange): string | undefined
  /** Settings of the deployment. */
  readonly settings?: JsonObject
  /** A recorded request in the form in which it is compared. */
  canonical?(body: JsonObject): JsonObject
  /** True where the recorded path is not the one that is asked for today. */
  otherPath?(exchange: Exchange): boolean
  /** True for a reply that is a job still running, so that it has to be asked for again. */
  isPending?(reply: unknown): boolean
  readonly equivalences: readonly Equivalence[]
}

/** The last segments of a recorded URL, decoded, behind a marker in it; undefined where it does not occur. */
export function pathAfter(exchange: Exchange, marker: string): string | undefined {
  const path = decodeURIComponent(new URL(exchange.request?.url ?? '', 'http://upstream').pathname)
  const start = path.indexOf(marker)
  return start < 0 ? undefined : path.slice(start + marker.length)
}
