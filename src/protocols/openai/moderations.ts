import type { UpstreamRequest } from '../../upstream/message.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import type { ModerationRequest, ModerationResponse } from '../../wire/moderations.js'
import type { Codec, Exchange } from '../protocol.js'
import { invalidAnswer } from './answer.js'
import { findErrorInside } from './failure.js'
import { createDraft, knownParameters } from './parameters.js'
import type { Quirks } from './quirks.js'
import { toUpstreamRequest, upstreamModel } from './upstream-request.js'

/** Moderation in OpenAI's dialect, which is Mistral's too but for `flagged`: there every category is a verdict of its own. */
export function createModerationCodec(quirks: Quirks): Codec<'moderations'> {
  return {
    encode: (exchange) => encodeModeration(exchange, quirks),
    decode: (body, exchange) => decodeModeration(body, exchange, quirks),
  }
}

function encodeModeration({ request, deployment }: Exchange<'moderations'>, quirks: Quirks): UpstreamRequest {
  const draft = createDraft(request, deployment, knownParameters.moderations, quirks)
  draft.body['model'] = upstreamModel(deployment, quirks)
  return toUpstreamRequest('moderations', draft, deployment, quirks)
}

type Result = ModerationResponse['results'][number]

function decodeModeration(body: unknown, exchange: Exchange<'moderations'>, quirks: Quirks): ModerationResponse {
  const { deployment, request, id } = exchange
  const answer = isObject(body) ? body : {}
  const given = Array.isArray(answer['results']) ? answer['results'] : undefined
  const error = findErrorInside(answer, given !== undefined, quirks, deployment.provider)
  if (error) throw error
  const results = (given ?? []).map(toResult)
  // A text that nobody judged must not pass for harmless.
  if (results.length !== countTexts(request.input) || results.includes(undefined)) {
    throw invalidAnswer(deployment, `${results.length} judgements for ${countTexts(request.input)} texts`)
  }
  const judged = results.filter((result) => result !== undefined)
  const isSame = judged.every((result, at) => result === given?.[at]) && isNamed(answer)
  if (isSame) return answer as ModerationResponse
  return {
    ...answer,
    id: stringOf(answer['id']) ?? `modr-${id}`,
    model: stringOf(answer['model']) ?? deployment.model,
    results: judged,
  }
}

function countTexts(input: ModerationRequest['input']): number {
  return Array.isArray(input) && typeof input[0] === 'string' ? input.length : 1
}

function isNamed({ id, model }: JsonObject): boolean {
  return stringOf(id) !== undefined && stringOf(model) !== undefined
}

/** Undefined where it is no judgement. */
function toResult(result: unknown): Result | undefined {
  if (!isObject(result) || !isObject(result['categories'])) return undefined
  const { flagged, categories, category_scores: scores } = result
  if (typeof flagged === 'boolean' && isObject(scores)) return result as Result
  const isFlagged = typeof flagged === 'boolean' ? flagged : Object.values(categories).includes(true)
  return {
    ...result,
    flagged: isFlagged,
    categories: categories as Result['categories'],
    category_scores: (isObject(scores) ? scores : {}) as Result['category_scores'],
  }
}
