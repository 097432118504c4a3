import { numberOf, stringOf } from '../../wire/json.js'
import { countWords } from '../conversation.js'
import { standardDimensions, toBase64, vectorOf } from '../media.js'
import { RefusedRequest, type FakeCall, type Rendered } from './dialect.js'
import { textsOf } from './read.js'

/** `POST /v1/embeddings`: floats, or base64 of little-endian float32. */
export function answerEmbeddings({ body, plan }: FakeCall): Rendered {
  const model = stringOf(body['model'])
  if (model === undefined) throw new RefusedRequest('you must provide a model parameter')
  const inputs = inputsOf(body['input'])
  const dimensions = numberOf(body['dimensions']) ?? standardDimensions
  const tokens = inputs.reduce((sum, input) => sum + countWords(input), 0)
  const data = inputs.map((input, index) => {
    const vector = vectorOf(input, dimensions)
    const embedding = body['encoding_format'] === 'base64' ? toBase64(vector) : [...vector]
    return { object: 'embedding', index, embedding }
  })
  const usage = { prompt_tokens: tokens, total_tokens: tokens }
  const answer = { object: 'list', data, model, ...(!plan.noUsage && { usage }) }
  return { body: answer, tokens: { promptTokens: tokens, completionTokens: 0 } }
}

function inputsOf(input: unknown): string[] {
  const texts = textsOf(input)
  if (texts.length > 0) return texts
  if (!Array.isArray(input) || input.length === 0) throw new RefusedRequest("Missing required parameter: 'input'.")
  if (Array.isArray(input[0])) return input.map((tokens: unknown) => toWords(tokens))
  return [toWords(input)]
}

function toWords(tokens: unknown): string {
  return Array.isArray(tokens) ? tokens.join(' ') : JSON.stringify(tokens)
}
