import { numberOf, type JsonObject } from '../../../src/wire/json.js'
import { type AnsweredChoice, finishReasonOf } from '../answer.js'
import { absent, isEmpty } from '../equivalence.js'
import { at, objectsIn, textOf } from '../exchange.js'
import type { FurtherDialect } from './dialect.js'

/** `/complete` and the embeddings of the luminous models: https://docs.aleph-alpha.com */
export const alephAlpha: FurtherDialect = {
  request: ({ request }, { operation }) => {
    const {
      model: _model,
      prompt,
      prompts,
      input,
      maximum_tokens,
      stop_sequences,
      compress_to_size,
      ...rest
    } = request?.body ?? {}
    const shared = {
      ...rest,
      ...(maximum_tokens !== undefined && { max_tokens: maximum_tokens }),
      ...(stop_sequences !== undefined && { stop: stop_sequences }),
    }
    if (operation === 'embeddings') {
      const many = Array.isArray(prompts) ? prompts.map(plainItem) : plainItem(prompt ?? input)
      return { ...rest, input: many, ...(compress_to_size !== undefined && { dimensions: compress_to_size }) }
    }
    if (operation === 'completions') return { ...shared, prompt: plainItem(prompt) }
    return { ...shared, messages: [{ role: 'user', content: objectsIn(prompt).map(toPart) }] }
  },
  answer: (payloads) => {
    const items = objectsIn(payloads)
    const chunks = items.filter(({ type }) => type !== undefined)
    const [first] = items
    const list = chunks.length === 0 ? objectsIn(first?.['completions']) : [toWhole(chunks)]
    const counted = items.at(-1)
    const [prompt, completion] = [counted?.['num_tokens_prompt_total'], counted?.['num_tokens_generated']].map(numberOf)
    return {
      choices: new Map(list.map((item, index) => [index, toChoice(item)])),
      usage: { prompt, completion, total: (prompt ?? 0) + (completion ?? 0) },
    }
  },
  data: (recorded) => {
    const list = at(recorded, 'embeddings') ?? [at(recorded, 'embedding')]
    return Array.isArray(list) ? list.map((embedding: unknown) => ({ embedding })) : []
  },
  model: ({ entry, request }) => textOf(request?.body['model']) || entry.model || 'luminous-base',
  equivalences: [absent('no attention controls', 'an empty list controls nothing', /\.controls$/, isEmpty)],
}

/** The only text, or the only tokens, of a prompt. */
function plainItem(prompt: unknown): unknown {
  return at(prompt, 0, 'data')
}

function toPart(item: JsonObject): JsonObject {
  const { type, data, ...rest } = item
  if (type === 'text') return { type: 'text', text: data, ...rest }
  if (type !== 'image') return item
  return { type: 'image_url', image_url: { url: `data:image/jpeg;base64,${textOf(data)}` }, ...rest }
}

function toWhole(chunks: readonly JsonObject[]): JsonObject {
  const text = chunks.map((chunk) => textOf(chunk['completion'])).join('')
  const finish = chunks.find(({ type }) => type === 'stream_summary')?.['finish_reason']
  return { completion: text, finish_reason: finish }
}

const finishes: Readonly<Record<string, string>> = { maximum_tokens: 'length', end_of_text: 'stop' }

function toChoice(item: JsonObject): AnsweredChoice {
  const native = textOf(item['finish_reason'])
  return {
    text: textOf(item['completion']),
    reasoning: '',
    images: 0,
    toolCalls: [],
    finish: finishes[native] ?? finishReasonOf(native, 0),
  }
}
