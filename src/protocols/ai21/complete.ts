import type { UpstreamRequest } from '../../upstream/message.js'
import type { Completion } from '../../wire/completions.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import { onlyPrompt } from '../plain-text.js'
import type { Codec, Exchange } from '../protocol.js'
import { countsToUsage, jsonRequest, stopList, textChoice, textHead } from '../text-answer.js'

const names = {
  frequency_penalty: (scale: unknown) => ({ frequencyPenalty: { scale } }),
  logit_bias: 'logitBias',
  max_tokens: 'maxTokens',
  n: 'numResults',
  presence_penalty: (scale: unknown) => ({ presencePenalty: { scale } }),
  stop: (stop: unknown) => ({ stopSequences: stopList(stop) }),
  temperature: 'temperature',
  top_p: 'topP',
}

/** Text completions of AI21's J2 models, `/{model}/complete`; the API cannot stream. */
export const completions: Codec<'completions'> = { encode, decode }

function encode({ request: asked, deployment }: Exchange<'completions'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('completions', request, policy, names)
  const body = { ...extra, ...members, prompt: onlyPrompt(request.prompt, deployment.provider) }
  const path = `/${encodeURIComponent(deployment.model)}/complete`
  return jsonRequest(path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)))
}

function decode(body: unknown, exchange: Exchange<'completions'>): Completion {
  const answer = isObject(body) ? body : {}
  const list = Array.isArray(answer['completions']) ? answer['completions'].filter(isObject) : []
  if (list.length === 0) throw invalidAnswer(body, exchange.deployment.provider, 'an answer without completions')
  const choices = list.map((item, index) => {
    const reason = isObject(item['finishReason']) ? stringOf(item['finishReason']['reason']) : undefined
    return textChoice(index, dataOf(item).text, reason)
  })
  const usage = countsToUsage(
    isObject(answer['prompt']) ? tokensIn(answer['prompt']) : undefined,
    list.reduce((sum, item) => sum + (dataOf(item).tokens ?? 0), 0),
  )
  const id = stringOf(answer['id'])
  return { ...textHead(exchange, { id: id && `cmpl-${id}` }), choices, ...(usage && { usage }) }
}

function dataOf(item: JsonObject): { readonly text: string; readonly tokens: number | undefined } {
  const data = isObject(item['data']) ? item['data'] : {}
  return { text: stringOf(data['text']) ?? '', tokens: tokensIn(data) }
}

/** Every token of prompt and answer is listed; their number is the usage. */
function tokensIn({ tokens }: JsonObject): number | undefined {
  return Array.isArray(tokens) ? tokens.length : undefined
}
