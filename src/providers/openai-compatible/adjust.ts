import { InvalidRequestError } from '../../errors.js'
import type { Quirks } from '../../protocols/openai/quirks.js'
import { isObject, type JsonObject, numberOf } from '../../wire/json.js'

/** A change of a whole body that no switch of the engine describes; pure. */
export type Adjust = NonNullable<Quirks['adjust']>

/** Runs the adjustment for one operation only. */
export function adjustOnly(only: Parameters<Adjust>[1], adjust: (body: JsonObject) => JsonObject): Adjust {
  return (body, operation) => (operation === only ? adjust(body) : body)
}

/** The body without some members. */
export function without(body: JsonObject, names: readonly string[]): JsonObject {
  return Object.fromEntries(Object.entries(body).filter(([name]) => !names.includes(name)))
}

/** Sarvam: reasoning is switched off by an effort of JSON's null. */
export const nullEffort: Adjust = adjustOnly('chat', (body) =>
  body['reasoning_effort'] === 'none' ? { ...body, reasoning_effort: null } : body,
)

/** Leaves out `response_format: { type: 'text' }`, which asks for nothing. */
export const dropTextFormat: Adjust = adjustOnly('chat', (body) => {
  const format = body['response_format']
  return isObject(format) && format['type'] === 'text' ? without(body, ['response_format']) : body
})

/** Width and height of OpenAI's `size`; undefined for `auto` and for none. @throws InvalidRequestError for any other text */
export function sizeOf(body: JsonObject): { readonly width: number; readonly height: number } | undefined {
  const size = body['size'] ?? 'auto'
  if (size === 'auto') return undefined
  const match = typeof size === 'string' ? /^(\d{1,5})x(\d{1,5})$/.exec(size) : null
  if (!match) throw new InvalidRequestError('size must be auto or like 1024x1024.', 'size')
  return { width: Number(match[1]), height: Number(match[2]) }
}

const aspectRatios: Readonly<Record<string, string>> = {
  '256x256': '1:1',
  '512x512': '1:1',
  '1024x1024': '1:1',
  '1536x1024': '3:2',
  '1024x1536': '2:3',
  '1792x1024': '16:9',
  '1024x1792': '9:16',
}

/** The aspect ratio of OpenAI's `size`, for providers that know no pixels. @throws InvalidRequestError for a size without one */
export function aspectRatioOf(body: JsonObject): string | undefined {
  const size = body['size'] ?? 'auto'
  if (size === 'auto') return undefined
  const ratio = typeof size === 'string' && Object.hasOwn(aspectRatios, size) ? aspectRatios[size] : undefined
  if (ratio) return ratio
  throw new InvalidRequestError(`size must be auto or one of ${Object.keys(aspectRatios).join(', ')}.`, 'size')
}

/** Moonshot: `n` above 1 needs a temperature of at least 0.3. */
export const raiseTemperatureForMany: Adjust = adjustOnly('chat', (body) => {
  const temperature = numberOf(body['temperature'])
  if (temperature === undefined || temperature >= 0.3 || (numberOf(body['n']) ?? 1) <= 1) return body
  return { ...body, temperature: 0.3 }
})

const groqTiers = ['auto', 'default', 'flex', 'on_demand', 'performance']

/** Groq: an unknown service tier (OpenAI's `priority`) means auto. */
export const groqServiceTier: Adjust = adjustOnly('chat', (body) => {
  const tier = body['service_tier']
  if (typeof tier !== 'string' || groqTiers.includes(tier)) return body
  return { ...body, service_tier: 'auto' }
})

/** Baseten: the switches of the chat template go by another name. */
export const chatTemplateArgs: Adjust = adjustOnly('chat', (body) => {
  const { chat_template_kwargs: switches, ...rest } = body
  return switches === undefined ? body : { ...rest, chat_template_args: switches }
})

/** LM Studio: takes a schema only inside `json_schema.schema`. */
export const wrapJsonSchema: Adjust = adjustOnly('chat', (body) => {
  const format = body['response_format']
  if (!isObject(format) || format['type'] !== 'json_schema' || format['json_schema'] !== undefined) return body
  const { schema } = format
  if (!isObject(schema)) return body
  return { ...body, response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } } }
})
