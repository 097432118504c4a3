import type { UpstreamEvent, UpstreamRequest } from '../../upstream/message.js'
import type { Completion, CompletionChunk } from '../../wire/completions.js'
import { isObject, type JsonObject, numberOf, parseJson, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { invalidAnswer, truncated } from '../invalid-answer.js'
import { MalformedEvents } from '../malformed-events.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import { onlyPrompt } from '../plain-text.js'
import type { Codec, Exchange, StreamDecoder, StreamPart, StreamProgress } from '../protocol.js'
import { countsToUsage, jsonRequest, stopList, textChoice, textHead, textPart, toTextFinish } from '../text-answer.js'
import { placeOf } from './place.js'

const names = {
  max_tokens: 'max_new_tokens',
  seed: 'random_seed',
  stop: (stop: unknown) => ({ stop_sequences: stopList(stop) }),
  temperature: 'temperature',
  top_p: 'top_p',
}

// watsonx's own members of `parameters`, which callers write beside OpenAI's.
const ownParameters: ReadonlySet<string> = new Set([
  'decoding_method',
  'include_stop_sequence',
  'length_penalty',
  'min_new_tokens',
  'random_seed',
  'repetition_penalty',
  'return_options',
  'stop_sequences',
  'time_limit',
  'top_k',
  'truncate_input_tokens',
])

/** Text completions over `/ml/v1/text/generation`: https://cloud.ibm.com/apidocs/watsonx-ai#text-generation */
export const completions: Codec<'completions'> = {
  encode,
  decode,
  decodeStream: (exchange) => new GenerationStream(exchange),
}

function encode({ request: asked, deployment }: Exchange<'completions'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('completions', request, policy, names)
  const stream = request.stream === true
  const place = placeOf(deployment, stream ? 'text/generation_stream' : 'text/generation', request)
  const given = Object.entries(extra)
  const parameters = {
    ...toDecoding(members),
    ...Object.fromEntries(given.filter(([name]) => ownParameters.has(name))),
    ...(isObject(extra['parameters']) && extra['parameters']),
  }
  const body = {
    ...Object.fromEntries(given.filter(([name]) => !ownParameters.has(name) && name !== 'parameters')),
    input: onlyPrompt(request.prompt, deployment.provider),
    ...(Object.keys(parameters).length > 0 && { parameters }),
    ...place.body,
  }
  return jsonRequest(place.path, body, settleUnsupported(deployment, policy, unsupported, ignoredIn(request)), stream)
}

/** Greedy decoding, the default, ignores temperature, top_p and seed: who sets one of them wants sampling. */
function toDecoding(members: JsonObject): JsonObject {
  const { temperature } = members
  if (temperature === 0) {
    const { temperature: _zero, top_p: _topP, random_seed: _seed, ...rest } = members
    return { ...rest, decoding_method: 'greedy' }
  }
  const samples = ['temperature', 'top_p', 'random_seed'].some((name) => members[name] !== undefined)
  return samples ? { ...members, decoding_method: 'sample' } : members
}

function resultsIn(body: unknown): readonly JsonObject[] {
  return isObject(body) && Array.isArray(body['results']) ? body['results'].filter(isObject) : []
}

function decode(body: unknown, exchange: Exchange<'completions'>): Completion {
  const results = resultsIn(body)
  if (results.length === 0) throw invalidAnswer(body, exchange.deployment.provider, 'an answer without results')
  const choices = results.map((result, index) =>
    textChoice(index, stringOf(result['generated_text']) ?? '', stringOf(result['stop_reason'])),
  )
  const [first] = results
  const usage = countsToUsage(first?.['input_token_count'], first?.['generated_token_count'])
  const model = isObject(body) ? stringOf(body['model_id']) : undefined
  return { ...textHead(exchange, { model }), choices, ...(usage && { usage }) }
}

/** Results in pieces; every event carries a `stop_reason`, `not_finished` until the last. */
class GenerationStream implements StreamDecoder<CompletionChunk> {
  readonly #provider: string
  readonly #malformed: MalformedEvents
  readonly #head: ReturnType<typeof textHead>
  #input = 0
  #output = 0
  #counted = false
  progress: StreamProgress = 'open'

  constructor(exchange: Exchange<'completions'>) {
    this.#provider = exchange.deployment.provider
    this.#malformed = new MalformedEvents(this.#provider)
    this.#head = textHead(exchange)
  }

  push(event: UpstreamEvent): readonly StreamPart<CompletionChunk>[] {
    if (event.data.trim() === '' || this.progress === 'finished') return []
    const body = parseJson(event.data)
    if (body === undefined) {
      this.#malformed.skip(false)
      return []
    }
    const [result] = resultsIn(body)
    if (result) return this.#read(result)
    if (event.event === 'error' || (isObject(body) && 'errors' in body)) {
      throw invalidAnswer(body, this.#provider, 'an error without words')
    }
    return []
  }

  #read(result: JsonObject): readonly StreamPart<CompletionChunk>[] {
    const [input, output] = [numberOf(result['input_token_count']), numberOf(result['generated_token_count'])]
    // The prompt is counted once, the answer as far as it has come.
    this.#input = Math.max(this.#input, input ?? 0)
    this.#output = Math.max(this.#output, output ?? 0)
    this.#counted ||= input !== undefined || output !== undefined
    const text = stringOf(result['generated_text']) ?? ''
    const native = stringOf(result['stop_reason'])
    const parts = text === '' ? [] : [this.#part(text, null)]
    if (native === undefined || native.toLowerCase() === 'not_finished') return parts
    this.progress = 'finished'
    return [...parts, this.#part('', toTextFinish(native))]
  }

  #part(text: string, finish: CompletionChunk['choices'][number]['finish_reason']): StreamPart<CompletionChunk> {
    return textPart(this.#head, [{ index: 0, text, finish_reason: finish, logprobs: null }])
  }

  end(): readonly StreamPart<CompletionChunk>[] {
    if (this.progress === 'open') throw truncated(this.#provider)
    const usage: ChatUsage | undefined = this.#counted ? countsToUsage(this.#input, this.#output) : undefined
    return usage ? [textPart(this.#head, [], usage)] : []
  }
}
