import { isObject, numberOf, stringOf, type JsonObject } from '../../../src/wire/json.js'
import { finishReasonOf, type Answer } from '../answer.js'
import { absent, type Equivalence } from '../equivalence.js'
import { at, objectsIn, textOf } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

const equivalences: readonly Equivalence[] = [
  absent(
    'a model that is in the path',
    "the task's body has no place for it",
    /^\.model$/,
    (value) => typeof value === 'string',
  ),
]

/** Text generation by Text Generation Inference: https://huggingface.github.io/text-generation-inference */
export const tgi: FurtherDialect = {
  request: ({ request, response }) => {
    if (request && typeof request.body['inputs'] === 'string') return fromTgiRequest(request.body)
    return { prompt: 'hi', ...(response.format === 'sse' && { stream: true }) }
  },
  answer: (payloads, { response }) => readTgiAnswer(payloads.flat(), response.format === 'sse'),
  settings: { api: 'tgi' },
  // The address of a model was another at the API that this one replaced.
  otherPath: () => true,
  equivalences,
}

/** Other tasks of Hugging Face's inference: vectors and pictures. */
export const huggingfaceTask: FurtherDialect = {
  request: ({ request }, { operation }) => {
    const kind = operation === 'images' ? 'images' : 'embeddings'
    if (request) return fromTask(request.body, kind)
    return kind === 'images' ? { prompt: 'hi' } : { input: 'hi' }
  },
  data: (recorded) => [Array.isArray(recorded) ? { embedding: recorded } : { b64_json: at(recorded, 'base64') }],
  otherPath: () => true,
  equivalences: [
    absent('no parameters', 'an empty object sets none', /^\.parameters$/, (value) => JSON.stringify(value) === '{}'),
  ],
}

/** The request in OpenAI's format that means what a recorded request of Text Generation Inference means. */
function fromTgiRequest({ inputs, parameters, model: _model, ...rest }: JsonObject): JsonObject {
  const { max_new_tokens, ...others } = isObject(parameters) ? parameters : {}
  return {
    ...rest,
    prompt: inputs,
    ...others,
    ...(max_new_tokens !== undefined && { max_tokens: max_new_tokens }),
  }
}

/** The request for vectors, or for a picture (`size` is written as pixels). */
function fromTask({ inputs, parameters, ...rest }: JsonObject, operation: 'embeddings' | 'images'): JsonObject {
  if (operation === 'embeddings') return { ...rest, input: inputs }
  const { width, height, ...others } = isObject(parameters) ? parameters : {}
  const [across, down] = [numberOf(width), numberOf(height)]
  return { ...others, prompt: inputs, ...(across !== undefined && { size: `${across}x${down ?? across}` }) }
}

/** Reads a whole answer of Text Generation Inference, or the tokens of a streamed one. */
function readTgiAnswer(payloads: readonly unknown[], streamed: boolean): Answer {
  const pieces = objectsIn(payloads)
  const last = pieces.find((piece) => typeof piece['generated_text'] === 'string')
  const tokens = pieces.filter((piece) => at(piece, 'token', 'special') !== true)
  const details = at(last, 'details')
  const reason = stringOf(at(details, 'finish_reason'))
  const choice = {
    text: streamed
      ? tokens.map((piece) => textOf(at(piece, 'token', 'text'))).join('')
      : textOf(at(last, 'generated_text')),
    reasoning: '',
    images: 0,
    toolCalls: [],
    finish: last === undefined ? undefined : finishReasonOf(reason ?? 'stop', 0),
  }
  const completion = numberOf(at(details, 'generated_tokens'))
  const prefill = at(details, 'prefill')
  const prompt = numberOf(at(details, 'input_length')) ?? (Array.isArray(prefill) ? prefill.length : 0)
  const usage = completion === undefined ? undefined : { prompt, completion, total: prompt + completion }
  return { choices: new Map([[0, choice]]), usage }
}
