import { isObject, numberOf, stringOf, type JsonObject } from '../../../src/wire/json.js'
import { finishReasonOf, type Answer, type AnsweredChoice, type AnsweredUsage } from '../answer.js'
import { at, objectsIn, textOf, type Exchange } from '../exchange.js'

/** The request in OpenAI's format that means what a recorded prompt of InvokeModel means. */
export function fromPrompt(body: JsonObject | undefined): JsonObject {
  if (!body) return { prompt: 'hi' }
  const { prompt, inputText, message, textGenerationConfig, ...rest } = body
  // OpenAI's words are used by the models that have no other.
  const own = 'topP' in rest && !('maxTokens' in rest) ? rest : renamed(rest)
  const { maxTokens, ...config } = isObject(textGenerationConfig) ? textGenerationConfig : {}
  const unknown = maxTokens === undefined ? {} : { textGenerationConfig: { maxTokens } }
  return { prompt: prompt ?? inputText ?? message, ...own, ...renamed(config), ...unknown }
}

const names: Readonly<Record<string, string>> = {
  maxTokenCount: 'max_tokens',
  max_gen_len: 'max_tokens',
  max_tokens_to_sample: 'max_tokens',
  maxTokens: 'max_tokens',
  num_generations: 'n',
  p: 'top_p',
  stopSequences: 'stop',
  stop_sequences: 'stop',
  topP: 'top_p',
}

const scales: Readonly<Record<string, string>> = {
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
}

function renamed(members: JsonObject): JsonObject {
  const entries = Object.entries(members).flatMap(([name, value]) => {
    if (Array.isArray(value) && value.length === 0) return []
    const scale = Object.hasOwn(scales, name) ? scales[name] : undefined
    if (scale !== undefined) return [[scale, at(value, 'scale')] as const]
    return [[(Object.hasOwn(names, name) ? names[name] : undefined) ?? name, value] as const]
  })
  return Object.fromEntries(entries)
}

interface Said {
  text: string
  finish: string | undefined
}

/** Where each vendor's body holds its pieces of text. */
function piecesIn(payload: unknown): readonly JsonObject[] {
  if (!isObject(payload)) return []
  const { results, outputs, generations, completions, choices, response } = payload
  const list = results ?? outputs ?? generations ?? completions ?? choices
  if (Array.isArray(list)) return objectsIn(list).map((piece, index) => ({ index, ...piece }))
  return [{ ...payload, ...(isObject(response) && { finish_reason: response['finish_reason'] }) }]
}

function textOfPiece(piece: JsonObject): string {
  const { outputText, generation, completion, text, data } = piece
  return textOf(outputText ?? generation ?? completion ?? text ?? at(data, 'text'))
}

function finishOfPiece(piece: JsonObject): string | undefined {
  const { completionReason, stop_reason, finish_reason, finishReason } = piece
  const blocked = piece['amazon-bedrock-guardrailAction'] === 'INTERVENED' ? 'content_filter' : undefined
  return stringOf(completionReason ?? stop_reason ?? finish_reason ?? at(finishReason, 'reason') ?? blocked)
}

const reasons: Readonly<Record<string, string>> = {
  COMPLETE: 'stop',
  FINISH: 'stop',
  LENGTH: 'length',
  MAX_TOKENS: 'length',
  STOP_SEQUENCE: 'stop',
}

/** Reads the text of a whole answer of InvokeModel, or of the chunks of a stream. */
export function readTextAnswer(payloads: readonly unknown[], exchange: Exchange): Answer {
  const said = new Map<number, Said>()
  let ending: string | undefined
  for (const piece of payloads.flatMap(piecesIn)) {
    const index = numberOf(piece['index']) ?? 0
    const known = said.get(index) ?? { text: '', finish: undefined }
    const finish = finishOfPiece(piece)
    ending = finish ?? ending
    said.set(index, { text: known.text + textOfPiece(piece), finish: finish ?? known.finish })
  }
  const choices = [...said].map(([index, { text, finish }]): [number, AnsweredChoice] => {
    const native = finish ?? ending
    const reason = native === undefined ? undefined : finishReasonOf(reasons[native] ?? native, 0)
    return [index, { text, reasoning: '', toolCalls: [], images: 0, finish: reason }]
  })
  return { choices: new Map(choices), usage: usageOf(payloads, exchange) }
}

/** Tokens as Bedrock counted them, in a header or with the last chunk. */
function usageOf(payloads: readonly unknown[], { response }: Exchange): AnsweredUsage | undefined {
  const metrics = payloads.map((payload) => at(payload, 'amazon-bedrock-invocationMetrics')).find(isObject)
  const header = (name: string): unknown => {
    const text = response.headers[`x-amzn-bedrock-${name}-token-count`]
    return text === undefined ? undefined : Number(text)
  }
  const prompt = numberOf(metrics ? metrics['inputTokenCount'] : header('input'))
  const completion = numberOf(metrics ? metrics['outputTokenCount'] : header('output'))
  if (prompt === undefined || completion === undefined) return undefined
  return { prompt, completion, total: prompt + completion }
}

/** The embedding request in OpenAI's format that means what a recorded one means. */
export function fromEmbedding(body: JsonObject | undefined): JsonObject {
  if (!body) return { input: 'hi' }
  const { inputText, texts, output_dimension, ...rest } = body
  return { ...rest, input: inputText ?? texts, ...(output_dimension !== undefined && { dimensions: output_dimension }) }
}

/** The vectors of a recorded answer. */
export function vectorsIn(recorded: unknown): readonly JsonObject[] {
  const list = at(recorded, 'embeddings', 'float') ?? at(recorded, 'embeddings') ?? [at(recorded, 'embedding')]
  return Array.isArray(list) ? list.map((embedding: unknown) => ({ embedding })) : []
}
