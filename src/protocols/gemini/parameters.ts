import type { GeminiModel } from '../../catalog/gemini-models.js'
import type { ChatRequest } from '../../wire/chat.js'
import { isObject, type JsonObject } from '../../wire/json.js'
import { toMediaResolution } from './parts.js'
import { toReasoning } from './reasoning.js'
import { toJsonSchemaField, toOpenApiSchema } from './schema.js'
import { usesJsonTool } from './tools.js'

/** A request's generationConfig, and the parameters that the model cannot honour; those are already left out. */
export interface Parameters {
  readonly generationConfig: JsonObject
  readonly unsupported: readonly string[]
}

const renamed: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  top_p: 'topP',
  top_k: 'topK',
  seed: 'seed',
  n: 'candidateCount',
  frequency_penalty: 'frequencyPenalty',
  presence_penalty: 'presencePenalty',
  logprobs: 'responseLogprobs',
  top_logprobs: 'logprobs',
}

const never = ['logit_bias', 'prediction', 'verbosity']

/**
 * Translates OpenAI's parameters to generationConfig; those named in `allowed` are sent whatever the model is known for.
 * @throws InvalidRequestError for an unknown reasoning effort
 */
export function toParameters(request: ChatRequest, model: GeminiModel, allowed: readonly string[] = []): Parameters {
  const reasoning = toReasoning(request, model.thinking)
  const penalties = model.penalties ? [] : ['frequency_penalty', 'presence_penalty']
  const refused = [...never, ...penalties.filter((name) => !allowed.includes(name))]
  const unsupported = refused.filter((name) => isSet(request[name]))
  const audio = toSpeech(request)
  const resolution = toMediaResolution(
    request.messages.map(({ content }) => content),
    model,
  )
  return {
    generationConfig: {
      ...toSampling(request, unsupported),
      ...toResponseFormat(request, model),
      ...toModalities(request, model),
      ...audio.config,
      ...(resolution !== undefined && { mediaResolution: resolution }),
      ...(reasoning.thinkingConfig && { thinkingConfig: reasoning.thinkingConfig }),
    },
    unsupported: [...unsupported, ...audio.unsupported, ...reasoning.unsupported],
  }
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null

function toSampling(request: ChatRequest, left: readonly string[]): JsonObject {
  const names = Object.keys(renamed).filter((name) => isSet(request[name]) && !left.includes(name))
  const limit = request.max_completion_tokens ?? request.max_tokens
  const stop = typeof request.stop === 'string' ? [request.stop] : (request.stop ?? [])
  return {
    ...Object.fromEntries(names.map((name) => [renamed[name], request[name]])),
    ...(isSet(limit) && { maxOutputTokens: limit }),
    ...(stop.length > 0 && { stopSequences: stop }),
  }
}

function toResponseFormat(request: ChatRequest, model: GeminiModel): JsonObject {
  const format = request.response_format
  if (!format || usesJsonTool(request, model)) return {}
  if (format.type !== 'json_object' && format.type !== 'json_schema') return {}
  const schema = format.type === 'json_schema' ? format.json_schema?.schema : undefined
  if (!schema) return { responseMimeType: 'application/json' }
  return {
    responseMimeType: 'application/json',
    ...(model.jsonSchema
      ? { responseJsonSchema: toJsonSchemaField(schema) }
      : { responseSchema: toOpenApiSchema(schema, { ordered: true }) }),
  }
}

function toModalities({ modalities }: ChatRequest, model: GeminiModel): JsonObject {
  if (!modalities || modalities.length === 0) return {}
  const names = modalities.map((modality) => modality.toUpperCase())
  // Speech models refuse TEXT, which OpenAI's clients always ask for beside audio.
  const responseModalities = model.writesText ? names : names.filter((name) => name !== 'TEXT')
  return responseModalities.length > 0 ? { responseModalities } : {}
}

function toSpeech({ audio }: ChatRequest): { config: JsonObject; unsupported: readonly string[] } {
  if (!audio) return { config: {}, unsupported: [] }
  const voice = isObject(audio.voice) ? audio.voice['name'] : audio.voice
  const config = { speechConfig: { voiceConfig: { prebuiltVoiceConfig: { voiceName: voice } } } }
  return { config, unsupported: audio.format === 'pcm16' ? [] : ['audio.format'] }
}
