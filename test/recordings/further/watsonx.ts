import { isObject, numberOf } from '../../../src/wire/json.js'
import { at, objectsIn, textOf } from '../exchange.js'
import { readOpenAiAnswer } from '../expected-openai.js'
import type { FurtherDialect } from './dialect.js'

/** Chat and text generation of watsonx.ai: https://cloud.ibm.com/apidocs/watsonx-ai */
export const watsonx: FurtherDialect = {
  request: ({ request, response }, { operation }) => {
    const { model: _model, model_id: _id, input, project_id: _project, ...rest } = request?.body ?? {}
    const stream = response.format === 'sse' ? { stream: true } : {}
    if (operation === 'completions') return { prompt: input, ...rest, ...stream }
    return { ...rest, ...stream }
  },
  answer: (payloads) =>
    payloads.some((payload) => isObject(at(payload, 'results', 0))) ? toText(payloads) : readOpenAiAnswer(payloads),
  model: ({ request, entry }) =>
    (textOf(request?.body['model_id']) || textOf(request?.body['model']) || entry.model).replace(/^watsonx\//, ''),
  settings: { token: 'sk-replayed-0123456789abcdef', projectId: 'PROJECT' },
  // Recorded at endpoints of OpenAI's shape, or of the API's beta.
  otherPath: ({ request }) => /chat\/completions|v1-beta/.test(request?.url ?? ''),
  canonical: ({ model, model_id, project_id: _project, stream: _stream, stream_options: _options, ...rest }) => ({
    ...rest,
    model_id: textOf(model_id ?? model).replace(/^watsonx\//, ''),
  }),
  equivalences: [],
}

function toText(payloads: readonly unknown[]) {
  const results = payloads.flatMap((payload) => objectsIn(at(payload, 'results')))
  const most = (name: string) => Math.max(...results.map((result) => numberOf(result[name]) ?? 0))
  const [prompt, completion] = [most('input_token_count'), most('generated_token_count')]
  const text = results.map((result) => textOf(result['generated_text'])).join('')
  const native = textOf(results.at(-1)?.['stop_reason'])
  const finish = native === 'max_tokens' || native === 'token_limit' ? 'length' : 'stop'
  return {
    choices: new Map([[0, { text, reasoning: '', images: 0, toolCalls: [], finish }]]),
    usage: { prompt, completion, total: prompt + completion },
  }
}
