import { isObject, numberOf, stringOf, type JsonObject } from '../../src/wire/json.js'
import { at, objectsIn, textOf } from './exchange.js'
import { canonicalGemini } from './gemini-canonical.js'

/**
 * The request in OpenAI's format that means what a recorded generateContent request means
 * (https://ai.google.dev/api/generate-content). Members that OpenAI has no word for stay as they are.
 */
export function fromGeminiRequest(recorded: JsonObject, model: string, streamed: boolean): JsonObject {
  const { contents, systemInstruction, generationConfig, tools, toolConfig, ...rest } = canonicalGemini(recorded)
  const ids = createCallIds()
  return {
    ...rest,
    model,
    messages: [
      ...systemMessages(systemInstruction),
      ...objectsIn(contents).flatMap((content) => toMessages(content, ids)),
    ],
    ...(streamed && { stream: true }),
    ...parameters(isObject(generationConfig) ? generationConfig : {}),
    ...toolParameters(objectsIn(tools)),
    ...toolChoice(toolConfig),
  }
}

/** Google pairs calls and results by name where they have no id; OpenAI always by id. */
interface CallIds {
  ofCall(call: JsonObject): string
  ofResult(result: JsonObject): string
}

function createCallIds(): CallIds {
  const open: { readonly name: unknown; readonly id: string }[] = []
  let count = 0
  return {
    ofCall(call) {
      count += 1
      const id = stringOf(call['id']) ?? `call_${count}`
      open.push({ name: call['name'], id })
      return id
    },
    ofResult(result) {
      const position = open.findIndex(
        ({ name, id }) => id === result['id'] || (!result['id'] && name === result['name']),
      )
      const [found] = position < 0 ? [] : open.splice(position, 1)
      return found?.id ?? stringOf(result['id']) ?? `call_of_${textOf(result['name'])}`
    },
  }
}

function systemMessages(instruction: unknown): readonly JsonObject[] {
  const parts = objectsIn(at(instruction, 'parts'))
  if (parts.length === 0) return []
  return [{ role: 'system', content: parts.map((part) => ({ type: 'text', text: textOf(part['text']) })) }]
}

function toMessages(content: JsonObject, ids: CallIds): readonly JsonObject[] {
  const parts = objectsIn(content['parts'])
  if (content['role'] === 'model') return [toAssistant(parts, ids)]
  const results = parts.flatMap((part) => (isObject(part['functionResponse']) ? [part['functionResponse']] : []))
  const others = parts.filter((part) => !isObject(part['functionResponse']))
  const messages = results.map((result) => toToolMessage(result, ids))
  return others.length === 0 ? messages : [...messages, { role: 'user', content: others.map(toPart) }]
}

const hostedParts = ['toolCall', 'toolResponse', 'executableCode', 'codeExecutionResult']

function toAssistant(parts: readonly JsonObject[], ids: CallIds): JsonObject {
  const thoughts = parts.filter((part) => part['thought'] === true)
  const calls = parts.filter((part) => isObject(part['functionCall']))
  const hosted = parts.filter((part) => hostedParts.some((name) => name in part))
  const others = parts.filter((part) => ![...thoughts, ...calls, ...hosted].includes(part))
  // A signature on plain text travels as a block without thoughts.
  const signed = others.filter((part) => part['thoughtSignature'] !== undefined)
  const blocks = [...thoughts, ...signed.map(({ thoughtSignature }) => ({ thoughtSignature }))]
  return {
    role: 'assistant',
    content: others.length === 0 ? null : others.map(toPart),
    ...(blocks.length > 0 && { thinking_blocks: blocks.map(toThinkingBlock) }),
    ...(calls.length > 0 && { tool_calls: calls.map((part) => toToolCall(part, ids)) }),
    ...(hosted.length > 0 && { provider_specific_fields: { server_tool_parts: hosted } }),
  }
}

function toThinkingBlock(part: JsonObject): JsonObject {
  const { thoughtSignature } = part
  return {
    type: 'thinking',
    thinking: textOf(part['text']),
    ...(thoughtSignature !== undefined && { signature: thoughtSignature, format: 'google-gemini-v1' }),
  }
}

function toToolCall(part: JsonObject, ids: CallIds): JsonObject {
  const call = isObject(part['functionCall']) ? part['functionCall'] : {}
  const signature = part['thoughtSignature']
  return {
    id: ids.ofCall(call),
    type: 'function',
    function: { name: call['name'], arguments: JSON.stringify(call['args'] ?? {}) },
    ...(signature !== undefined && { provider_specific_fields: { thought_signature: signature } }),
  }
}

function toToolMessage(result: JsonObject, ids: CallIds): JsonObject {
  const text = JSON.stringify(result['response'])
  const media = objectsIn(result['parts']).map(toPart)
  const content = media.length === 0 ? text : [{ type: 'text', text }, ...media]
  return { role: 'tool', tool_call_id: ids.ofResult(result), name: result['name'], content }
}

function toPart(part: JsonObject): JsonObject {
  const { text, inlineData, fileData, thoughtSignature: _inItsBlock, ...rest } = part
  if (typeof text === 'string') return { type: 'text', text, ...rest }
  if (isObject(inlineData)) return { ...inlinePart(inlineData), ...rest }
  if (isObject(fileData)) return { ...filePart(fileData), ...rest }
  const [kind] = Object.keys(rest)
  return { type: kind ?? 'unknown', ...rest }
}

const audioFormats: Readonly<Record<string, string>> = { 'audio/mpeg': 'mp3', 'audio/mp3': 'mp3', 'audio/wav': 'wav' }

function inlinePart(data: JsonObject): JsonObject {
  const mediaType = textOf(data['mimeType'])
  const format = audioFormats[mediaType]
  if (format === 'wav') return { type: 'input_audio', input_audio: { data: data['data'], format } }
  const url = `data:${mediaType};base64,${textOf(data['data'])}`
  if (mediaType.startsWith('image/')) return { type: 'image_url', image_url: { url } }
  return { type: 'file', file: { file_data: url } }
}

function filePart(data: JsonObject): JsonObject {
  const { fileUri, mimeType } = data
  if (textOf(mimeType).startsWith('image/')) return { type: 'image_url', image_url: { url: fileUri, format: mimeType } }
  return { type: 'file', file: { file_id: fileUri, ...(mimeType !== undefined && { format: mimeType }) } }
}

const parameterNames: Readonly<Record<string, string>> = {
  temperature: 'temperature',
  topP: 'top_p',
  topK: 'top_k',
  seed: 'seed',
  stopSequences: 'stop',
  candidateCount: 'n',
  maxOutputTokens: 'max_tokens',
  frequencyPenalty: 'frequency_penalty',
  presencePenalty: 'presence_penalty',
  responseLogprobs: 'logprobs',
  logprobs: 'top_logprobs',
}

function parameters(config: JsonObject): JsonObject {
  const { responseMimeType, responseSchema, responseModalities, speechConfig, thinkingConfig, ...others } = config
  const result: Record<string, unknown> = {}
  const unknown: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(others)) {
    const known = parameterNames[name]
    if (known === undefined) unknown[name] = value
    else result[known] = value
  }
  // Thoughts without a measure of them are Gemini's own wish.
  const justThoughts = isObject(thinkingConfig) && Object.keys(thinking(thinkingConfig)).length === 0
  const voice = at(speechConfig, 'voiceConfig', 'prebuiltVoiceConfig', 'voiceName')
  return {
    ...result,
    ...((Object.keys(unknown).length > 0 || justThoughts) && {
      generationConfig: { ...unknown, ...(justThoughts && { thinkingConfig }) },
    }),
    ...(Array.isArray(responseModalities) && {
      modalities: responseModalities.map((name) => String(name).toLowerCase()),
    }),
    ...(voice !== undefined && { audio: { voice, format: 'pcm16' } }),
    ...responseFormat(responseMimeType, responseSchema),
    ...thinking(thinkingConfig),
  }
}

function responseFormat(mimeType: unknown, schema: unknown): JsonObject {
  if (schema !== undefined) return { response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } } }
  return mimeType === 'application/json' ? { response_format: { type: 'json_object' } } : {}
}

function thinking(config: unknown): JsonObject {
  const budget = numberOf(at(config, 'thinkingBudget'))
  const level = stringOf(at(config, 'thinkingLevel'))
  if (level !== undefined) return { reasoning_effort: level.toLowerCase() }
  if (budget === undefined) return {}
  return { thinking: budget === 0 ? { type: 'disabled' } : { type: 'enabled', budget_tokens: budget } }
}

function toolParameters(tools: readonly JsonObject[]): JsonObject {
  const list = tools.flatMap((tool) =>
    Array.isArray(tool['functionDeclarations'])
      ? objectsIn(tool['functionDeclarations']).map(toTool)
      : Object.entries(tool).map(([type, value]) => ({ type, [type]: value })),
  )
  return list.length === 0 ? {} : { tools: list }
}

function toTool(declaration: JsonObject): JsonObject {
  const { name, description, parameters: schema, ...rest } = declaration
  return {
    type: 'function',
    function: {
      name,
      ...(description !== undefined && { description }),
      ...(schema !== undefined && { parameters: schema }),
      ...rest,
    },
  }
}

function toolChoice(config: unknown): JsonObject {
  if (!isObject(config)) return {}
  const { functionCallingConfig, ...rest } = config
  const names = at(functionCallingConfig, 'allowedFunctionNames')
  const only = Array.isArray(names) && names.length === 1 ? stringOf(names[0]) : undefined
  const words: Readonly<Record<string, string>> = { AUTO: 'auto', ANY: 'required', NONE: 'none' }
  const mode = words[textOf(at(functionCallingConfig, 'mode'))]
  return {
    ...(mode !== undefined && {
      tool_choice: only === undefined ? mode : { type: 'function', function: { name: only } },
    }),
    ...(Object.keys(rest).length > 0 && { toolConfig: rest }),
  }
}
