import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { argumentsOf, compose, type ComposedChoice, type Composition } from '../compose.js'
import { countWords, type Conversation } from '../conversation.js'
import { pixelPng, standardDimensions, vectorOf } from '../media.js'
import { decodeParam, type Dialect, type FakeCall, type FakeEvent, type FakeRoute, type Rendered } from './dialect.js'
import { choicesOf, objectOf, objectsOf, requireList, textOf, textsOf, tokensOf } from './read.js'

const statuses: Readonly<Record<number, string | undefined>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
  504: 'DEADLINE_EXCEEDED',
}
// Google frames its streams with CRLF.
const frame = (data: JsonObject): string => `data: ${JSON.stringify(data)}\r\n\r\n`
const finishReasons = { stop: 'STOP', stop_sequence: 'STOP', length: 'MAX_TOKENS', tool_calls: 'STOP' }

function errorBody(status: number, message: string): JsonObject {
  return {
    error: { code: status, message, status: statuses[status] ?? (status < 500 ? 'INVALID_ARGUMENT' : 'INTERNAL') },
  }
}

function route(verb: string, answer: FakeRoute['answer']): FakeRoute {
  return {
    method: 'POST',
    pattern: new RegExp(`^/(?:v1beta|v1)/models/([^:]+):${verb}$`),
    modelOf: (_, params) => decodeParam(params[0] ?? ''),
    answer,
  }
}

/** Google's dialect of AI Studio: generateContent, streamGenerateContent, embedContent, batchEmbedContents, predict (Imagen). */
export const geminiDialect: Dialect = {
  name: 'gemini',
  idHeader: 'x-goog-request-id',
  routes: [
    route('generateContent', (call) => {
      const composition = read(call)
      return { body: wholeAnswer(composition, call), tokens: composition }
    }),
    route('streamGenerateContent', streamAnswer),
    route('embedContent', ({ body }) => ({ body: { embedding: embed(body) } })),
    route('batchEmbedContents', ({ body }) => ({
      body: { embeddings: requireList(body, 'requests').filter(isObject).map(embed) },
    })),
    route('predict', predictImages),
  ],
  keyOf: (headers, query) => headers['x-goog-api-key'] ?? query.get('key') ?? undefined,
  error: errorBody,
  errorFrame: (status, message) => frame(errorBody(status, message)),
}

function read({ body, params, plan, script }: FakeCall): Composition {
  return compose(readConversation(body, decodeParam(params[0] ?? '')), plan, script)
}

function readConversation(body: JsonObject, model: string): Conversation {
  const contents = requireList(body, 'contents').filter(isObject)
  const config = objectOf(body, 'generationConfig')
  const partsOf = (content: JsonObject | undefined) => objectsOf(content?.['parts'])
  const result = partsOf(contents.at(-1)).find((part) => isObject(part['functionResponse']))
  const spoken = contents.findLast((content) => content['role'] !== 'model' && textOf(content['parts']) !== '')
  const system = objectOf(body, 'systemInstruction')
  const schema = config['responseJsonSchema'] ?? config['responseSchema']
  return {
    model,
    userText: textOf(spoken?.['parts']),
    toolResult: result && JSON.stringify(objectOf(objectOf(result, 'functionResponse'), 'response')),
    promptTokens: contents.reduce((sum, content) => sum + tokensOf(content['parts']), tokensOf(system['parts'])),
    tools: objectsOf(body['tools'])
      .flatMap((tool) => objectsOf(tool['functionDeclarations']))
      .map((tool) => ({ name: String(tool['name']), schema: schemaOf(tool) })),
    toolChoice: readToolChoice(objectOf(objectOf(body, 'toolConfig'), 'functionCallingConfig')),
    maxTokens: numberOf(config['maxOutputTokens']),
    stop: textsOf(config['stopSequences']),
    jsonSchema: config['responseMimeType'] === 'application/json' ? (isObject(schema) ? schema : {}) : undefined,
    reasoning: objectOf(config, 'thinkingConfig')['includeThoughts'] === true,
    choices: choicesOf(config['candidateCount']),
  }
}

function schemaOf(tool: JsonObject): JsonObject {
  return isObject(tool['parametersJsonSchema']) ? tool['parametersJsonSchema'] : objectOf(tool, 'parameters')
}

function readToolChoice(config: JsonObject): Conversation['toolChoice'] {
  if (config['mode'] === 'NONE') return 'none'
  if (config['mode'] !== 'ANY') return 'auto'
  const name = textsOf(config['allowedFunctionNames'])[0]
  return name === undefined ? 'required' : { name }
}

function wantsImage(body: JsonObject): boolean {
  return textsOf(objectOf(body, 'generationConfig')['responseModalities']).includes('IMAGE')
}

function wholeAnswer(composition: Composition, { body, plan }: FakeCall): JsonObject {
  const image = wantsImage(body) ? [{ inlineData: { mimeType: 'image/png', data: pixelPng } }] : []
  const candidates = composition.choices.map((choice, index) => ({
    content: { parts: [...partsOf(choice, composition), ...image], role: 'model' },
    ...(!plan.noFinish && { finishReason: finishReasons[choice.finish] }),
    index,
  }))
  return { candidates, ...tail(composition, plan.noUsage) }
}

function partsOf(choice: ComposedChoice, composition: Composition): JsonObject[] {
  const text = choice.pieces.join('')
  return [
    ...(composition.reasoning.length > 0 ? [{ text: composition.reasoning.join(''), thought: true }] : []),
    ...(text === '' ? [] : [{ text }]),
    ...callParts(choice),
  ]
}

function callParts(choice: ComposedChoice): JsonObject[] {
  return choice.toolCalls.map((call) => ({
    functionCall: { name: call.name, args: argumentsOf(call) },
    thoughtSignature: 'ZmFrZS1zaWduYXR1cmU=',
  }))
}

function tail(composition: Composition, noUsage: boolean | undefined): JsonObject {
  const { promptTokens, completionTokens, reasoning, model, id } = composition
  const usageMetadata = {
    promptTokenCount: promptTokens,
    candidatesTokenCount: completionTokens - reasoning.length,
    ...(reasoning.length > 0 && { thoughtsTokenCount: reasoning.length }),
    totalTokenCount: promptTokens + completionTokens,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: promptTokens }],
  }
  return { ...(!noUsage && { usageMetadata }), modelVersion: model, responseId: id }
}

function streamAnswer(call: FakeCall): Rendered {
  const composition = read(call)
  if (call.query.get('alt') === 'sse') {
    return { events: eventsOf(composition, call), contentType: 'text/event-stream', tokens: composition }
  }
  const events = [...eventsOf(composition, call)]
  // Without alt=sse Google sends one JSON array, an element at a time.
  const elements = events.map(({ kind, frame: text }, index) => ({
    kind,
    frame: `${index === 0 ? '[' : ',\r\n'}${text.toString().slice('data: '.length).trimEnd()}${index === events.length - 1 ? ']' : ''}`,
  }))
  return { events: elements, contentType: 'application/json; charset=UTF-8', tokens: composition }
}

function* eventsOf(composition: Composition, { body, plan }: FakeCall): Generator<FakeEvent> {
  for (const [index, choice] of composition.choices.entries()) {
    const image = wantsImage(body) ? [{ inlineData: { mimeType: 'image/png', data: pixelPng } }] : []
    const parts: JsonObject[] = [
      ...composition.reasoning.map((text) => ({ text, thought: true })),
      ...choice.pieces.map((text) => ({ text })),
      ...callParts(choice),
      ...image,
    ]
    // The finish reason rides on the last part; an empty answer still has one.
    const last = parts.pop() ?? { text: '' }
    for (const part of parts) yield { kind: 'content', frame: frame(chunk(composition, index, part, {})) }
    const finish = plan.noFinish ? {} : { finishReason: finishReasons[choice.finish] }
    yield {
      kind: 'content',
      frame: frame({ ...chunk(composition, index, last, finish), ...tail(composition, plan.noUsage) }),
    }
  }
}

function chunk(composition: Composition, index: number, part: JsonObject, finish: JsonObject): JsonObject {
  const candidate = { content: { parts: [part], role: 'model' }, ...finish, index }
  return { candidates: [candidate], modelVersion: composition.model, responseId: composition.id }
}

function embed(request: JsonObject): JsonObject {
  const text = textOf(objectOf(request, 'content')['parts'])
  return { values: [...vectorOf(text, numberOf(request['outputDimensionality']) ?? standardDimensions)] }
}

function predictImages({ body }: FakeCall): Rendered {
  const prompt = stringOf(objectsOf(body['instances'])[0]?.['prompt']) ?? ''
  const image = { mimeType: 'image/png', bytesBase64Encoded: pixelPng }
  const count = choicesOf(objectOf(body, 'parameters')['sampleCount'])
  return { body: { predictions: Array.from({ length: count }, () => image), metadata: { words: countWords(prompt) } } }
}
