import { stringOf } from '../../wire/json.js'
import { countWords } from '../conversation.js'
import { pixelPng } from '../media.js'
import { created, RefusedRequest, type FakeCall, type Rendered } from './dialect.js'
import { choicesOf } from './read.js'

const tokensPerImage = 272

/** `POST /v1/images/generations`: a PNG of one pixel, as `b64_json` or as a `data:` URL. */
export function answerImages({ body, plan }: FakeCall): Rendered {
  const prompt = stringOf(body['prompt'])
  if (prompt === undefined) throw new RefusedRequest("Missing required parameter: 'prompt'.")
  const count = choicesOf(body['n'])
  const image =
    body['response_format'] === 'url' ? { url: `data:image/png;base64,${pixelPng}` } : { b64_json: pixelPng }
  const input = countWords(prompt)
  const usage = {
    input_tokens: input,
    output_tokens: count * tokensPerImage,
    total_tokens: input + count * tokensPerImage,
    input_tokens_details: { text_tokens: input, image_tokens: 0 },
  }
  const answer = { created, data: Array.from({ length: count }, () => image), ...(!plan.noUsage && { usage }) }
  return { body: answer, tokens: { promptTokens: input, completionTokens: usage.output_tokens } }
}
