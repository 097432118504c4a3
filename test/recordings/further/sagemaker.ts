import { isObject, stringOf } from '../../../src/wire/json.js'
import { at, textOf } from '../exchange.js'
import { pathAfter, type FurtherDialect } from './dialect.js'

/** SageMaker's endpoints of JumpStart's containers. */
export const sagemaker: FurtherDialect = {
  request({ request }) {
    const { inputs, parameters } = request?.body ?? {}
    const { max_new_tokens: limit, ...rest } = isObject(parameters) ? parameters : {}
    return { prompt: inputs, ...rest, ...(limit !== undefined && { max_tokens: limit }) }
  },
  answer([answer], { request }) {
    const generated = textOf(at(answer, 'generated_text'))
    const prompt = stringOf(at(request, 'body', 'inputs')) ?? ''
    const text = generated.startsWith(prompt) ? generated.slice(prompt.length) : generated
    return {
      choices: new Map([[0, { text, reasoning: '', toolCalls: [], images: 0, finish: 'stop' }]]),
      usage: undefined,
    }
  },
  model: (exchange) => pathAfter(exchange, '/endpoints/')?.split('/')[0],
  equivalences: [],
}

/** How an exchange of SageMaker is replayed; undefined for any other. */
export function sagemakerReplay({ api }: { readonly api: string }) {
  if (api !== 'sagemaker.invocations') return undefined
  return { dialect: 'sagemaker', operation: 'completions', provider: 'sagemaker' } as const
}
