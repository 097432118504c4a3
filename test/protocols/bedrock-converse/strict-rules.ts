import { isObject, parseJson, type JsonObject } from '../../../src/wire/json.js'

// What Converse refuses with a 400, as far as its reference and its error messages tell; written apart from the code
// under test. Source: https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html

const namePattern = /^[a-zA-Z0-9_-]{1,64}$/
const bodyKeys = [
  'additionalModelRequestFields',
  'additionalModelResponseFieldPaths',
  'guardrailConfig',
  'inferenceConfig',
  'messages',
  'outputConfig',
  'performanceConfig',
  'promptVariables',
  'requestMetadata',
  'serviceTier',
  'system',
  'toolConfig',
]
const blockKeys = [
  'audio',
  'cachePoint',
  'citationsContent',
  'document',
  'guardContent',
  'image',
  'reasoningContent',
  'searchResult',
  'text',
  'toolResult',
  'toolUse',
  'video',
]
const resultKeys = ['document', 'image', 'json', 'searchResult', 'text', 'video']

function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : []
}

/** Every rule that a body breaks, one line each. */
export function converseRefusals(body: JsonObject): readonly string[] {
  const messages = list(body['messages'])
  return [
    ...Object.keys(body)
      .filter((key) => !bodyKeys.includes(key))
      .map((key) => `unknown member ${key}`),
    ...turnProblems(messages),
    ...messages.flatMap(({ content }, index) =>
      list(content).flatMap((block) => blockProblems(block, `messages[${index}]`)),
    ),
    ...messages.flatMap(documentProblems),
    ...pairProblems(messages),
    ...list(body['system']).flatMap(systemProblems),
    ...toolProblems(body, messages),
    ...inferenceProblems(body),
    ...outputProblems(body['outputConfig']),
    ...cacheProblems(body, messages),
  ]
}

function turnProblems(messages: readonly JsonObject[]): readonly string[] {
  const roles = messages.map(({ role }) => role)
  return [
    ...(messages.length === 0 ? ['no messages'] : []),
    ...(roles[0] === 'user' ? [] : ['the first message is not of the user']),
    ...roles.flatMap((role, index) =>
      index > 0 && role === roles[index - 1] ? [`roles do not alternate at ${index}`] : [],
    ),
    ...messages.flatMap(({ content }, index) => (list(content).length === 0 ? [`messages[${index}] is empty`] : [])),
  ]
}

function blockProblems(block: JsonObject, place: string): readonly string[] {
  const [key = '', ...others] = Object.keys(block)
  if (others.length > 0 || !blockKeys.includes(key)) return [`${place}: a block of ${Object.keys(block).join()}`]
  if (key === 'text') return blank(block['text']) ? [`${place}: blank text`] : []
  const value = isObject(block[key]) ? block[key] : {}
  if (key === 'toolUse') {
    return [
      ...(namePattern.test(String(value['toolUseId'])) ? [] : [`${place}: toolUseId ${String(value['toolUseId'])}`]),
      ...(namePattern.test(String(value['name'])) ? [] : [`${place}: tool name ${String(value['name'])}`]),
      ...(isObject(value['input']) ? [] : [`${place}: input is no object`]),
    ]
  }
  return key === 'toolResult' ? resultProblems(value, place) : []
}

function resultProblems(result: JsonObject, place: string): readonly string[] {
  const content = list(result['content'])
  return [
    ...(namePattern.test(String(result['toolUseId'])) ? [] : [`${place}: toolUseId of a result`]),
    ...(content.length === 0 ? [`${place}: an empty result`] : []),
    ...content.flatMap((block) => {
      const [key = '', ...others] = Object.keys(block)
      if (others.length > 0 || !resultKeys.includes(key))
        return [`${place}: a result with ${Object.keys(block).join()}`]
      return key === 'text' && blank(block['text']) ? [`${place}: blank text in a result`] : []
    }),
  ]
}

const blank = (text: unknown): boolean => typeof text !== 'string' || text.trim() === ''

function documentProblems({ content }: JsonObject): readonly string[] {
  const blocks = list(content)
  const names = blocks.flatMap(({ document }) => (isObject(document) ? [String(document['name'])] : []))
  if (names.length === 0) return []
  return [
    ...(blocks.some((block) => 'text' in block) ? [] : ['a document without text']),
    ...(new Set(names).size < names.length ? ['two documents of one name'] : []),
    ...names.filter((name) => !/^[a-zA-Z0-9\s\-()[\]]{1,200}$/.test(name) || /\s\s/.test(name)),
  ]
}

/** Every call is answered in the next message, and nothing else is. */
function pairProblems(messages: readonly JsonObject[]): readonly string[] {
  return messages.flatMap((message, index) => {
    const called = idsIn(message, 'toolUse')
    const answered = messages[index + 1] ? idsIn(messages[index + 1] ?? {}, 'toolResult') : []
    const isLast = index === messages.length - 1
    if (message['role'] !== 'assistant') return []
    return !isLast && called.toSorted().join() !== answered.toSorted().join()
      ? [`messages[${index}]: calls ${called.join()} answered ${answered.join()}`]
      : []
  })
}

function idsIn({ content }: JsonObject, member: string): readonly string[] {
  return list(content).flatMap((block) => {
    const value = block[member]
    return isObject(value) && value['type'] === undefined ? [String(value['toolUseId'])] : []
  })
}

function systemProblems(block: JsonObject): readonly string[] {
  const [key = '', ...others] = Object.keys(block)
  if (others.length > 0 || !['text', 'guardContent', 'cachePoint'].includes(key)) return [`system with ${key}`]
  return key === 'text' && blank(block['text']) ? ['blank system text'] : []
}

function toolProblems(body: JsonObject, messages: readonly JsonObject[]): readonly string[] {
  const config = body['toolConfig']
  const used = messages.some((message) => [...idsIn(message, 'toolUse'), ...idsIn(message, 'toolResult')].length > 0)
  if (!isObject(config)) return used ? ['tools are used and none is defined'] : []
  const specs = list(config['tools']).flatMap(({ toolSpec }) => (isObject(toolSpec) ? [toolSpec] : []))
  const names = specs.map(({ name }) => String(name))
  return [
    ...(list(config['tools']).length === 0 ? ['an empty list of tools'] : []),
    ...(new Set(names).size < names.length ? ['two tools of one name'] : []),
    ...specs.flatMap(specProblems),
    ...choiceProblems(config['toolChoice'], names, body['additionalModelRequestFields']),
  ]
}

function specProblems({ name, description, inputSchema }: JsonObject): readonly string[] {
  const json = isObject(inputSchema) ? inputSchema['json'] : undefined
  return [
    ...(namePattern.test(String(name)) ? [] : [`tool name ${String(name)}`]),
    ...(blank(description) ? ['a tool without description'] : []),
    ...(isObject(json) && json['type'] === 'object' ? [] : ['a tool whose input is no object']),
  ]
}

function choiceProblems(choice: unknown, names: readonly string[], fields: unknown): readonly string[] {
  if (choice === undefined) return []
  const [key = '', ...others] = isObject(choice) ? Object.keys(choice) : []
  if (others.length > 0 || !['auto', 'any', 'tool'].includes(key)) return ['an unknown toolChoice']
  const thinking = isObject(fields) && isObject(fields['thinking']) ? fields['thinking']['type'] : undefined
  const tool = isObject(choice) && isObject(choice['tool']) ? choice['tool']['name'] : undefined
  return [
    ...(key === 'tool' && !names.includes(String(tool)) ? ['a choice of a tool that is not defined'] : []),
    ...(key !== 'auto' && thinking !== undefined && thinking !== 'disabled' ? ['a forced tool beside thinking'] : []),
  ]
}

function inferenceProblems({
  inferenceConfig: config,
  additionalModelRequestFields: fields,
}: JsonObject): readonly string[] {
  const { maxTokens, temperature, topP, stopSequences, ...others } = isObject(config) ? config : {}
  const within = (value: unknown): boolean =>
    value === undefined || (typeof value === 'number' && value >= 0 && value <= 1)
  const thinking = isObject(fields) && isObject(fields['thinking']) ? fields['thinking'] : {}
  const budget = thinking['budget_tokens']
  return [
    ...Object.keys(others).map((key) => `inferenceConfig.${key}`),
    ...(within(temperature) ? [] : ['temperature']),
    ...(within(topP) ? [] : ['topP']),
    ...(maxTokens === undefined || Number(maxTokens) >= 1 ? [] : ['maxTokens']),
    ...(stopSequences === undefined || (Array.isArray(stopSequences) && stopSequences.every((text) => !blank(text)))
      ? []
      : ['stopSequences']),
    ...(budget === undefined || (Number(budget) >= 1024 && Number(budget) < Number(maxTokens ?? Infinity))
      ? []
      : ['budget_tokens']),
  ]
}

function outputProblems(config: unknown): readonly string[] {
  if (config === undefined) return []
  const format = isObject(config) && isObject(config['textFormat']) ? config['textFormat'] : {}
  const structure = isObject(format['structure']) ? format['structure'] : {}
  const schema = isObject(structure['jsonSchema']) ? structure['jsonSchema'] : {}
  const isJson = typeof schema['schema'] === 'string' && isObject(parseJson(schema['schema']))
  return [
    ...(format['type'] === 'json_schema' ? [] : ['textFormat.type']),
    ...(isJson ? [] : ['a schema that is not JSON as text']),
    ...(namePattern.test(String(schema['name'])) ? [] : ['the name of a schema']),
  ]
}

function cacheProblems(body: JsonObject, messages: readonly JsonObject[]): readonly string[] {
  const tools = isObject(body['toolConfig']) ? list(body['toolConfig']['tools']) : []
  const places = [list(body['system']), tools, ...messages.map(({ content }) => list(content))]
  const points = places.flat().filter((block) => 'cachePoint' in block).length
  return [
    ...(points > 4 ? [`${points} cache points`] : []),
    ...places.flatMap(([first]) => (first && 'cachePoint' in first ? ['a cache point after nothing'] : [])),
  ]
}
