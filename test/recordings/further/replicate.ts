import { isObject, stringOf, type JsonObject } from '../../../src/wire/json.js'
import { at } from '../exchange.js'
import { type FurtherDialect, pathAfter } from './dialect.js'

/** Predictions: https://replicate.com/docs/reference/http */
export const replicate: FurtherDialect = {
  request: ({ request }, { operation }) => {
    const input = at(request?.body, 'input')
    const { prompt = 'hi', ...rest } = isObject(input) ? input : {}
    if (operation === 'images') return { ...rest, prompt }
    const stream = request?.body['stream'] === true ? { stream: true } : {}
    return { ...rest, messages: [{ role: 'user', content: prompt }], ...stream }
  },
  answer: (payloads) => {
    const output = at(payloads[0], 'output')
    const text = Array.isArray(output) ? output.join('') : (stringOf(output) ?? '')
    return {
      choices: new Map([[0, { text, reasoning: '', images: 0, toolCalls: [], finish: 'stop' }]]),
      usage: undefined,
    }
  },
  data: (recorded) => {
    const output = at(recorded, 'output')
    return (Array.isArray(output) ? output : [output]).map(toImage)
  },
  model: (exchange) => {
    const version = stringOf(exchange.request?.body['version'])
    if (version !== undefined) return `owner/name:${version}`
    return pathAfter(exchange, '/models/')?.replace(/\/predictions$/, '')
  },
  isPending: (reply) => {
    const status = at(reply, 'status')
    if (status === 'starting') return true
    return status === 'processing' && (at(reply, 'started_at') !== undefined || !at(reply, 'output'))
  },
  equivalences: [
    {
      name: 'a stream of a model that is replayed as one of images',
      reason: 'images of OpenAI have no stream; chat asks for it',
      holds: ({ path, recorded, sent }) => path === '.stream' && recorded === true && sent === undefined,
    },
    {
      name: 'a model beside its version',
      reason: 'the provider itself refuses it in the recorded reply',
      holds: ({ path, sent }, { exchange }) =>
        path === '.model' && sent === undefined && exchange.response.status === 422,
    },
    {
      name: 'a model within the input',
      reason: 'the recorded client repeated it there, where no model looks for it',
      holds: ({ path, sent }) => path === '.input.model' && sent === undefined,
    },
  ],
}

function toImage(output: unknown): JsonObject {
  const text = stringOf(output) ?? ''
  return text.startsWith('data:') ? { b64_json: text.slice(text.indexOf(',') + 1) } : { url: text }
}
