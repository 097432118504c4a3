import type { Deployment } from '../../deployment.js'
import { GatewayError } from '../../errors.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { findErrorInside } from './failure.js'
import type { Quirks } from './quirks.js'

/** What an answer is completed from where the provider left something out. */
export interface AnswerContext {
  readonly id: string
  readonly created: number
  readonly deployment: Deployment
}

/** The answer's choices. @throws GatewayError for an error inside the 200, or a body that is not an answer */
export function readChoices(
  body: unknown,
  deployment: Deployment,
  quirks: Quirks,
): { readonly answer: JsonObject; readonly choices: readonly JsonObject[] } {
  const answer = isObject(body) ? body : {}
  const list = answer['choices']
  const choices = Array.isArray(list) ? list.filter(isObject) : []
  const error = findErrorInside(answer, choices.length > 0, quirks, deployment.provider)
  if (error) throw error
  for (const choice of choices) throwChoiceError(choice, deployment)
  if (choices.length > 0) return { answer, choices }
  throw invalidAnswer(deployment, 'an answer without choices')
}

/** Throws where one choice reports an error in place of an end (OpenRouter). */
export function throwChoiceError(choice: JsonObject, deployment: Deployment): void {
  const isError = choice['finish_reason'] === 'error'
  if (!isError && !isObject(choice['error'])) return
  const message = stringOf(choice['error']) ?? 'The provider failed while answering.'
  const error = isObject(choice['error']) ? choice['error'] : { message }
  const found = findErrorInside({ error }, false, {}, deployment.provider)
  if (found) throw found
}

/** The error for a 200 that is no answer. */
export function invalidAnswer(deployment: Deployment, what: string): GatewayError {
  return new GatewayError('upstream_invalid', `${deployment.provider} sent ${what}.`, {
    upstream: { provider: deployment.provider, status: 200 },
  })
}

/** The top-level members that every answer has, as they have to be. */
export interface AnswerHead {
  readonly id: string
  readonly object: string
  readonly created: number
  readonly model: string
}

/** Fills what the provider left out of the answer's head. */
export function toHead(answer: JsonObject, object: string, prefix: string, context: AnswerContext): AnswerHead {
  return {
    id: stringOf(answer['id']) ?? `${prefix}-${context.id}`,
    object,
    created: toCreated(answer['created']) ?? context.created,
    model: stringOf(answer['model']) ?? context.deployment.model,
  }
}

/** Unix seconds, whole. */
export function toCreated(value: unknown): number | undefined {
  const created = numberOf(value)
  return created === undefined || created < 0 ? undefined : Math.floor(created)
}

/** True where the answer's own head needs no change. */
export function hasHead(answer: JsonObject, head: AnswerHead): boolean {
  return (
    answer['id'] === head.id &&
    answer['object'] === head.object &&
    answer['created'] === head.created &&
    answer['model'] === head.model
  )
}
