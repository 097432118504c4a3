import type { UpstreamRequest } from '../../upstream/message.js'
import type { Completion } from '../../wire/completions.js'
import { isObject, numberOf, stringOf } from '../../wire/json.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import { onlyPrompt } from '../plain-text.js'
import type { Codec, Exchange } from '../protocol.js'
import { countsToUsage, jsonRequest, stopList, textChoice, textHead } from '../text-answer.js'
import { modelPath } from './model.js'
import { createTextStream } from './text-stream.js'

const names = {
  frequency_penalty: 'frequency_penalty',
  max_tokens: 'max_length',
  n: 'num_return_sequences',
  presence_penalty: 'presence_penalty',
  // The API ends at one sequence only.
  stop: (stop: unknown) => ({ end_sequence: stopList(stop)[0] }),
  temperature: 'temperature',
  top_p: 'top_p',
}

/** Text completions over `/generation`: https://docs.nlpcloud.com/#generation */
export const completions: Codec<'completions'> = { encode, decode, decodeStream: createTextStream }

// Other models answer a stream with a whole answer, piece by piece of its JSON.
const streams = (model: string): boolean => /dolphin/i.test(model)

function encode({ request: asked, deployment }: Exchange<'completions'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('completions', request, policy, names)
  const lost = stopList(request.stop).length > 1 ? ['stop'] : []
  const text = onlyPrompt(request.prompt, deployment.provider)
  const isStream = request.stream === true && streams(deployment.model)
  const body = { remove_input: true, ...extra, ...members, text, ...(isStream && { stream: true }) }
  const path = modelPath(deployment, 'generation')
  return jsonRequest(path, body, settleUnsupported(deployment, policy, [...unsupported, ...lost], ignoredIn(request)))
}

function decode(body: unknown, exchange: Exchange<'completions'>): Completion {
  const answer = isObject(body) ? body : {}
  const text = stringOf(answer['generated_text'])
  if (text === undefined) throw invalidAnswer(body, exchange.deployment.provider, 'an answer without text')
  const limit = exchange.request.max_tokens ?? undefined
  const generated = numberOf(answer['nb_generated_tokens'])
  const isCut = limit !== undefined && generated !== undefined && generated >= limit
  const usage = countsToUsage(answer['nb_input_tokens'], generated)
  return {
    ...textHead(exchange),
    choices: [textChoice(0, text, isCut ? 'length' : 'stop')],
    ...(usage && { usage }),
  }
}
