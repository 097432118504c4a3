import type { FinishReason } from '../../wire/chat.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { toFinishReason } from '../finish-reason.js'
import { errorInside } from './failure.js'

/**
 * Why a response ended, in chat's words.
 * @throws GatewayError where it failed or was cancelled
 */
export function finishOf(response: JsonObject, hasToolCalls: boolean, provider: string): FinishReason {
  const status = response['status']
  if (status === 'failed' || isObject(response['error'])) throw errorInside(response, provider)
  if (status === 'cancelled') throw errorInside({ error: { message: 'The response was cancelled.' } }, provider)
  if (status !== 'incomplete') return hasToolCalls ? 'tool_calls' : 'stop'
  const details = response['incomplete_details']
  return toFinishReason(isObject(details) ? stringOf(details['reason']) : 'length')
}

/** Id, model and time of a response as far as it tells them. */
export function identityOf(response: JsonObject): { readonly model?: string; readonly created?: number } {
  const model = stringOf(response['model'])
  const created = numberOf(response['created_at'])
  return {
    ...(model !== undefined && { model }),
    ...(created !== undefined && { created: Math.floor(created) }),
  }
}

/** What is said about a response beyond chat's members: the id that a later `previous_response_id` may name. */
export function responseFields(response: JsonObject): JsonObject {
  const id = stringOf(response['id'])
  return id === undefined ? {} : { response_id: id }
}
