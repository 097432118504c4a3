import { findGeminiModel } from '../../../src/catalog/gemini-models.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'

// The rules that the API itself enforces with a 400, as far as they concern what we write.

const paths = [
  /^\/v1beta\/(?:models|tunedModels)\/[^/?#]+:generateContent$/,
  /^\/v1beta\/(?:models|tunedModels)\/[^/?#]+:streamGenerateContent\?alt=sse$/,
  /^\/v1\/projects\/.+:(?:generateContent|streamGenerateContent\?alt=sse)$/,
]
const bodyKeys = [
  'contents',
  'systemInstruction',
  'tools',
  'toolConfig',
  'safetySettings',
  'generationConfig',
  'cachedContent',
  'labels',
]
const configKeys = [
  'temperature',
  'topP',
  'topK',
  'seed',
  'candidateCount',
  'maxOutputTokens',
  'stopSequences',
  'responseMimeType',
  'responseSchema',
  'responseJsonSchema',
  'responseModalities',
  'responseLogprobs',
  'logprobs',
  'frequencyPenalty',
  'presencePenalty',
  'speechConfig',
  'thinkingConfig',
  'mediaResolution',
  'imageConfig',
]
const dataKeys = [
  'text',
  'inlineData',
  'fileData',
  'functionCall',
  'functionResponse',
  'executableCode',
  'codeExecutionResult',
  'toolCall',
  'toolResponse',
]
const partKeys = [...dataKeys, 'thought', 'thoughtSignature', 'videoMetadata', 'mediaResolution']

/** Every rule that a request breaks, one line each. */
export function brokenRules(path: string, body: JsonObject): readonly string[] {
  const model = findGeminiModel(decodeURIComponent(/([^/]+):/.exec(path)?.[1] ?? ''))
  const problems: string[] = []
  if (!paths.some((pattern) => pattern.test(path))) problems.push(`path ${path}`)
  if (/[?&]key=/.test(path)) problems.push('a key in the address')
  problems.push(...unknownKeys('body', body, bodyKeys))
  const contents = listOf(body['contents'])
  problems.push(...contentRules(contents, model.signatures === 'required'))
  problems.push(...configRules(objectOf(body['generationConfig'])))
  const tools = listOf(body['tools'])
  problems.push(...toolRules(tools, objectOf(body['toolConfig']), model.mixesTools))
  const hasFunctions = tools.some((tool) => 'functionDeclarations' in tool)
  const wantsJson = objectOf(body['generationConfig'])['responseMimeType'] === 'application/json'
  if (hasFunctions && wantsJson && !model.mixesTools) problems.push('JSON output beside functions')
  const system = body['systemInstruction']
  if (system !== undefined && !model.systemInstruction) problems.push('developer instruction is not enabled')
  if (system !== undefined && listOf(objectOf(system)['parts']).length === 0) problems.push('empty systemInstruction')
  return problems
}

function contentRules(contents: readonly JsonObject[], needsSignatures: boolean): readonly string[] {
  const problems: string[] = []
  if (contents.length === 0) problems.push('contents is empty')
  if (contents[0]?.['role'] !== 'user') problems.push('the first content is not the user')
  contents.forEach((content, position) => {
    const where = `contents[${position}]`
    const { role } = content
    const parts = listOf(content['parts'])
    if (role !== 'user' && role !== 'model') problems.push(`${where}: role ${String(role)}`)
    if (role === contents[position - 1]?.['role']) problems.push(`${where}: the same role twice`)
    if (parts.length === 0) problems.push(`${where}: no parts`)
    problems.push(...parts.flatMap((part, index) => partRules(`${where}.parts[${index}]`, part)))
    problems.push(...turnRules(where, parts, contents[position - 1], contents[position + 1], needsSignatures))
  })
  return problems
}

function partRules(where: string, part: JsonObject): readonly string[] {
  const problems = [...unknownKeys(where, part, partKeys)]
  if (dataKeys.filter((key) => key in part).length !== 1) problems.push(`${where}: not exactly one kind of data`)
  if (part['text'] === '') problems.push(`${where}: empty text`)
  const signature = part['thoughtSignature']
  if (signature !== undefined && !(typeof signature === 'string' && /^[\w+/-]+={0,2}$/.test(signature))) {
    problems.push(`${where}: a signature that is not base64`)
  }
  const call = part['functionCall']
  if (isObject(call)) {
    problems.push(...unknownKeys(where, call, ['id', 'name', 'args']))
    if (!isObject(call['args'])) problems.push(`${where}: args is no object`)
    if (typeof call['id'] === 'string' && call['id'].includes('__thought__')) problems.push(`${where}: a signed id`)
  }
  const response = part['functionResponse']
  if (isObject(response)) {
    problems.push(...unknownKeys(where, response, ['id', 'name', 'response', 'parts']))
    if (!isObject(response['response'])) problems.push(`${where}: response is no object`)
    if (/"\$ref"\s*:/.test(JSON.stringify(response['response']))) problems.push(`${where}: a reference to no part`)
  }
  const data = part['inlineData']
  if (isObject(data) && !/^[A-Za-z0-9+/]+={0,2}$/.test(String(data['data'])))
    problems.push(`${where}: data is no base64`)
  return problems
}

function turnRules(
  where: string,
  parts: readonly JsonObject[],
  before: JsonObject | undefined,
  after: JsonObject | undefined,
  needsSignatures: boolean,
): readonly string[] {
  const problems: string[] = []
  const calls = parts.filter((part) => 'functionCall' in part)
  const results = parts.filter((part) => 'functionResponse' in part)
  if (calls.length > 0) {
    const names = (list: readonly JsonObject[], key: string) => list.map((part) => objectOf(part[key])['name']).join()
    const answers = listOf(after?.['parts']).filter((part) => 'functionResponse' in part)
    if (after && names(answers, 'functionResponse') !== names(calls, 'functionCall')) {
      problems.push(`${where}: the function responses do not answer the function calls one by one`)
    }
    if (needsSignatures && calls[0]?.['thoughtSignature'] === undefined) {
      problems.push(`${where}: function call is missing a thought_signature`)
    }
  }
  if (results.length > 0) {
    if (!listOf(before?.['parts']).some((part) => 'functionCall' in part))
      problems.push(`${where}: responses to no call`)
    if (parts.slice(0, results.length).some((part) => !('functionResponse' in part))) {
      problems.push(`${where}: something stands before the function responses`)
    }
  }
  return problems
}

function configRules(config: JsonObject): readonly string[] {
  const problems = [...unknownKeys('generationConfig', config, configKeys)]
  const thinking = objectOf(config['thinkingConfig'])
  problems.push(...unknownKeys('thinkingConfig', thinking, ['includeThoughts', 'thinkingBudget', 'thinkingLevel']))
  if ('thinkingBudget' in thinking && 'thinkingLevel' in thinking) problems.push('a thinking budget and a level')
  const schemas = ['responseSchema', 'responseJsonSchema'].filter((key) => key in config)
  if (schemas.length > 1) problems.push('two response schemas')
  if (schemas.length > 0 && config['responseMimeType'] !== 'application/json') problems.push('a schema without JSON')
  if (isObject(config['responseSchema'])) problems.push(...schemaRules('responseSchema', config['responseSchema']))
  return problems
}

function toolRules(tools: readonly JsonObject[], config: JsonObject, mixes: boolean): readonly string[] {
  const problems: string[] = []
  const entries = tools.filter((tool) => 'functionDeclarations' in tool)
  const hosted = tools.filter((tool) => !('functionDeclarations' in tool))
  if (entries.length > 1) problems.push('functionDeclarations in two entries')
  if (tools.some((tool) => Object.keys(tool).length !== 1)) problems.push('a tool entry with several kinds')
  if (entries.length > 0 && hosted.length > 0 && !(mixes && config['includeServerSideToolInvocations'] === true)) {
    problems.push('functions beside hosted tools')
  }
  const declared = entries.flatMap((entry) => listOf(entry['functionDeclarations']))
  for (const declaration of declared) problems.push(...declarationRules(declaration))
  const calling = config['functionCallingConfig']
  if (isObject(calling)) problems.push(...callingRules(calling, declared))
  return problems
}

function declarationRules(declaration: JsonObject): readonly string[] {
  const where = `function ${String(declaration['name'])}`
  const keys = ['name', 'description', 'parameters', 'parametersJsonSchema', 'response', 'behavior']
  const problems = [...unknownKeys(where, declaration, keys)]
  const { parameters, parametersJsonSchema } = declaration
  if (parameters !== undefined && parametersJsonSchema !== undefined) problems.push(`${where}: two schemas`)
  if (isObject(parameters)) {
    if (parameters['type'] !== 'OBJECT') problems.push(`${where}: parameters is no OBJECT`)
    problems.push(...schemaRules(where, parameters))
  }
  if (isObject(parametersJsonSchema) && parametersJsonSchema['type'] !== 'object') problems.push(`${where}: no object`)
  return problems
}

function callingRules(calling: JsonObject, declared: readonly JsonObject[]): readonly string[] {
  const { mode, allowedFunctionNames: names } = calling
  const problems: string[] = []
  if (!['AUTO', 'ANY', 'NONE', 'VALIDATED'].includes(String(mode))) problems.push(`mode ${String(mode)}`)
  if (names !== undefined && mode !== 'ANY' && mode !== 'VALIDATED') problems.push('names beside mode AUTO or NONE')
  const known = declared.map(({ name }) => name)
  if (Array.isArray(names) && names.some((name) => !known.includes(name)))
    problems.push('an allowed name is not declared')
  return problems
}

const schemaKeys = [
  'type',
  'format',
  'description',
  'nullable',
  'enum',
  'items',
  'properties',
  'required',
  'propertyOrdering',
  'anyOf',
  'pattern',
  'minimum',
  'maximum',
  'minItems',
  'maxItems',
  'minLength',
  'maxLength',
  'minProperties',
  'maxProperties',
]
const schemaTypes = ['STRING', 'NUMBER', 'INTEGER', 'BOOLEAN', 'ARRAY', 'OBJECT']

/** What of a schema is outside Gemini's OpenAPI subset. */
export function schemaRules(where: string, schema: JsonObject): readonly string[] {
  const { type, anyOf, properties, items, required } = schema
  const problems = [...unknownKeys(where, schema, schemaKeys)]
  if (anyOf !== undefined) {
    const beside = Object.keys(schema).filter((key) => key !== 'anyOf' && key !== 'description')
    if (beside.length > 0) problems.push(`${where}: ${beside.join()} beside anyOf`)
    return [...problems, ...listOf(anyOf).flatMap((member, index) => schemaRules(`${where}.anyOf[${index}]`, member))]
  }
  if (!schemaTypes.includes(String(type))) problems.push(`${where}: type ${String(type)}`)
  const choices = schema['enum']
  if (choices !== undefined) {
    const valid = Array.isArray(choices) && choices.every((value) => typeof value === 'string' && value !== '')
    if (type !== 'STRING' || !valid || choices.length === 0) problems.push(`${where}: enum`)
  }
  if (type === 'ARRAY' && !isObject(items)) problems.push(`${where}: items: missing field`)
  if (isObject(items)) problems.push(...schemaRules(`${where}.items`, items))
  if (properties !== undefined && Object.keys(objectOf(properties)).length === 0) {
    problems.push(`${where}: should be non-empty for OBJECT type`)
  }
  const names = Object.keys(objectOf(properties))
  if (Array.isArray(required) && required.some((name) => !names.includes(String(name)))) {
    problems.push(`${where}: required: property is not defined`)
  }
  for (const [name, member] of Object.entries(objectOf(properties))) {
    problems.push(...(isObject(member) ? schemaRules(`${where}.${name}`, member) : [`${where}.${name}: no schema`]))
  }
  return problems
}

function unknownKeys(where: string, value: JsonObject, known: readonly string[]): readonly string[] {
  const unknown = Object.keys(value).filter((key) => !known.includes(key))
  return unknown.map((key) => `${where}: Unknown name "${key}": Cannot find field.`)
}

const objectOf = (value: unknown): JsonObject => (isObject(value) ? value : {})
const listOf = (value: unknown): readonly JsonObject[] => (Array.isArray(value) ? value.filter(isObject) : [])
