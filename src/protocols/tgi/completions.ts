import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { Completion, CompletionRequest } from '../../wire/completions.js'
import { isObject, type JsonObject, numberOf, stringOf } from '../../wire/json.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, type Take, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange } from '../protocol.js'
import { countsToUsage, jsonRequest, stopList, textChoice, textHead } from '../text-answer.js'
import { createTgiStream } from './stream.js'

/** The path of a deployment's model; the body says whether a stream is wanted. */
export type TgiPath = (deployment: Deployment) => string

/**
 * Text completions over Text Generation Inference's own API, `POST /` and `/generate`:
 * https://huggingface.github.io/text-generation-inference
 */
export function createTgiCompletions(path: TgiPath): Codec<'completions'> {
  return {
    encode: (exchange) => encode(exchange, path),
    decode,
    outputLimit: toOutputLimit,
    decodeStream: createTgiStream,
  }
}

// The server refuses 0.
const toOutputLimit = (limit: number): number => Math.max(1, limit)

const table: Readonly<Record<string, Take>> = {
  max_tokens: (value) => ({ max_new_tokens: toOutputLimit(numberOf(value) ?? 1) }),
  // The server refuses a temperature of 0, which means the likeliest word.
  temperature: (value) => (value === 0 ? { do_sample: false } : { temperature: value }),
  // It takes no top_p of 1 either, which leaves nothing out.
  top_p: (value) => ((numberOf(value) ?? 1) >= 1 ? {} : { top_p: value }),
  seed: 'seed',
  frequency_penalty: 'frequency_penalty',
  echo: 'return_full_text',
  best_of: (value) => (value === 1 ? {} : { best_of: value }),
  stop: (value) => ({ stop: stopList(value) }),
}

// Parameters of the server beyond OpenAI's; every other unknown field stays beside `parameters`.
const parameterNames: ReadonlySet<string> = new Set([
  'adapter_id',
  'adapter_source',
  'decoder_input_details',
  'details',
  'do_sample',
  'grammar',
  'max_new_tokens',
  'repetition_penalty',
  'return_full_text',
  'top_k',
  'top_n_tokens',
  'truncate',
  'typical_p',
  'watermark',
])

function encode({ request: asked, deployment }: Exchange<'completions'>, path: TgiPath): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('completions', request, policy, table, [
    'response_format',
  ])
  const streams = request.stream === true
  const own = Object.entries(extra).filter(([name]) => parameterNames.has(name))
  const beside = Object.entries(extra).filter(([name]) => !parameterNames.has(name) && name !== 'parameters')
  const parameters = {
    return_full_text: false,
    // They tell why the answer ended and what it cost; the prompt is counted in a whole answer only when asked for.
    details: true,
    ...(!streams && { decoder_input_details: true }),
    ...members,
    ...Object.fromEntries(own),
    ...(isObject(extra['parameters']) && extra['parameters']),
  }
  const body = {
    inputs: onlyPrompt(request.prompt, deployment.provider),
    parameters,
    stream: streams,
    ...Object.fromEntries(beside),
  }
  return jsonRequest(
    path(deployment),
    body,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
    streams,
  )
}

function onlyPrompt(prompt: CompletionRequest['prompt'], provider: string): string {
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return only
  throw new InvalidRequestError(`${provider} answers one prompt at a time, as a string.`, 'prompt')
}

function decode(body: unknown, exchange: Exchange<'completions'>): Completion {
  // `/` answers a list of one, `/generate` the object itself.
  const answer: unknown = Array.isArray(body) ? body[0] : body
  const text = isObject(answer) ? answer['generated_text'] : undefined
  if (!isObject(answer) || typeof text !== 'string') {
    throw invalidAnswer(body, exchange.deployment.provider, 'something that is no generated text')
  }
  const details = isObject(answer['details']) ? answer['details'] : {}
  const usage = usageOf(details)
  const choice = textChoice(0, text, stringOf(details['finish_reason']))
  return { ...textHead(exchange), choices: [choice], ...(usage && { usage }) }
}

function usageOf(details: JsonObject) {
  const prefill = Array.isArray(details['prefill']) ? details['prefill'].length : undefined
  return countsToUsage(numberOf(details['input_length']) ?? prefill, details['generated_tokens'])
}
