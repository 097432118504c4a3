import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { Completion, CompletionRequest } from '../../wire/completions.js'
import { type JsonObject, numberOf } from '../../wire/json.js'
import type { Codec, Exchange } from '../protocol.js'
import { hasHead, readChoices, toHead } from './answer.js'
import { createCompletionStream } from './completions-stream.js'
import { nativeFinish } from './finish.js'
import { applyNames, applyRules, createDraft, knownParameters, type ParameterRules } from './parameters.js'
import type { Quirks } from './quirks.js'
import { textOfChoice, toTextFinish, toTextLogprobs } from './text-choice.js'
import { applyStream, toParameterRules, toUpstreamRequest, upstreamModel } from './upstream-request.js'
import { toUsage } from './usage.js'

/** Text completions in OpenAI's dialect. */
export function createCompletionCodec(quirks: Quirks): Codec<'completions'> {
  const rules = toParameterRules('completions', quirks)
  return {
    encode: (exchange) => encodeCompletion(exchange, quirks, rules),
    decode: (body, exchange) => decodeCompletion(body, exchange, quirks),
    decodeStream: (exchange) => createCompletionStream(exchange, quirks),
  }
}

function encodeCompletion(
  { request, deployment }: Exchange<'completions'>,
  quirks: Quirks,
  rules: ParameterRules,
): UpstreamRequest {
  const draft = createDraft(request, deployment, knownParameters.completions, quirks)
  if (quirks.completions?.singlePrompt) draft.body['prompt'] = onlyPrompt(request.prompt, deployment.provider)
  applyRules(draft, rules)
  applyNames(draft.body, quirks.rename, quirks.clamp)
  applyStream(draft.body, request.stream === true, quirks)
  draft.body['model'] = upstreamModel(deployment, quirks)
  return toUpstreamRequest('completions', draft, deployment, quirks)
}

function onlyPrompt(prompt: CompletionRequest['prompt'], provider: string): string {
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return only
  throw new InvalidRequestError(`${provider} takes one prompt, as a string.`, 'prompt')
}

function decodeCompletion(body: unknown, exchange: Exchange<'completions'>, quirks: Quirks): Completion {
  const { answer, choices } = readChoices(body, exchange.deployment, quirks)
  const decoded = choices.map(decodeChoice)
  const head = toHead(answer, 'text_completion', 'cmpl', exchange)
  const usage = toUsage(answer['usage'])
  const isSame =
    hasHead(answer, head) &&
    usage === answer['usage'] &&
    answer['system_fingerprint'] !== null &&
    decoded.every((choice, position) => choice === choices[position])
  if (isSame) return answer as Completion
  const { usage: _usage, system_fingerprint: fingerprint, ...rest } = answer
  return {
    ...rest,
    ...head,
    object: 'text_completion',
    choices: decoded as Completion['choices'],
    ...(typeof fingerprint === 'string' && { system_fingerprint: fingerprint }),
    ...(usage && { usage }),
  }
}

function decodeChoice(choice: JsonObject, position: number): JsonObject {
  const index = numberOf(choice['index']) ?? position
  const text = textOfChoice(choice)
  const finish = toTextFinish(nativeFinish(choice))
  const logprobs = toTextLogprobs(choice['logprobs'])
  const isSame =
    index === choice['index'] &&
    text === choice['text'] &&
    finish === choice['finish_reason'] &&
    logprobs === choice['logprobs'] &&
    !('message' in choice)
  if (isSame) return choice
  const { message: _message, ...rest } = choice
  return { ...rest, index, text, finish_reason: finish, logprobs }
}
