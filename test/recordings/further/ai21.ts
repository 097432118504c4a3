import { at, objectsIn, textOf } from '../exchange.js'
import { type FurtherDialect, pathAfter } from './dialect.js'

/** `/{model}/complete` of the J2 models. */
export const ai21: FurtherDialect = {
  request: ({ request }) => {
    const { stopSequences, maxTokens, topP, numResults, logitBias, ...rest } = request?.body ?? {}
    return { ...rest, stop: stopSequences, max_tokens: maxTokens, top_p: topP, n: numResults, logit_bias: logitBias }
  },
  answer: (payloads) => {
    const completions = objectsIn(at(payloads[0], 'completions'))
    const count = (value: unknown) => (Array.isArray(value) ? value.length : 0)
    const prompt = count(at(payloads[0], 'prompt', 'tokens'))
    const completion = completions.reduce((sum, item) => sum + count(at(item, 'data', 'tokens')), 0)
    const choices = completions.map((item, index) => {
      const text = textOf(at(item, 'data', 'text'))
      const reason = at(item, 'finishReason', 'reason')
      const finish = reason === 'length' ? 'length' : 'stop'
      return [index, { text, reasoning: '', images: 0, toolCalls: [], finish }] as const
    })
    return { choices: new Map(choices), usage: { prompt, completion, total: prompt + completion } }
  },
  model: (exchange) => pathAfter(exchange, '/studio/v1/')?.replace(/\/complete$/, ''),
  equivalences: [],
}
