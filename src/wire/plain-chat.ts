import { ChatRequest } from './chat.js'
import { isObject, type JsonObject } from './json.js'

type Check = (value: unknown) => boolean

const isText: Check = (value) => typeof value === 'string'
const isFlag: Check = (value) => typeof value === 'boolean'
// JSON.parse gives Infinity for 1e999.
const isNumber: Check = (value) => Number.isFinite(value)
const isCount: Check = (value) => Number.isSafeInteger(value) && Number(value) > 0

/** Parameters that are checked here; any other that the schema knows is left to the schema. */
const checks: ReadonlyMap<string, Check> = new Map<string, Check>([
  ['model', (value) => isText(value) && value !== ''],
  ['messages', (value) => Array.isArray(value) && value.length > 0 && value.every(isPlainMessage)],
  ['stream', isFlag],
  ['stream_options', (value) => isObject(value) && hasOnly(value, { include_usage: isFlag })],
  ['temperature', isNumber],
  ['top_p', isNumber],
  ['frequency_penalty', isNumber],
  ['presence_penalty', isNumber],
  ['max_tokens', isCount],
  ['max_completion_tokens', isCount],
  ['n', isCount],
  ['user', isText],
])

const known: ReadonlySet<string> = new Set(Object.keys(ChatRequest.shape))

/**
 * A quick yes to the requests that most calls are: conversations of texts and images, with everyday parameters. True
 * only where `ChatRequest` accepts the body too, at a tenth of its cost; false says nothing.
 */
export function isPlainChat(body: JsonObject): boolean {
  for (const name in body) {
    const check = checks.get(name)
    if (check ? !check(body[name]) : known.has(name)) return false
  }
  return body['model'] !== undefined && body['messages'] !== undefined
}

const contentByRole: ReadonlyMap<unknown, Readonly<Record<string, Check>>> = new Map<
  unknown,
  Readonly<Record<string, Check>>
>([
  ['system', { role: isText, content: isContent }],
  ['developer', { role: isText, content: isContent }],
  ['user', { role: isText, content: isContent }],
  ['assistant', { role: isText, content: isContent }],
  ['tool', { role: isText, content: isContent, tool_call_id: isText }],
])

function isPlainMessage(message: unknown): boolean {
  if (!isObject(message)) return false
  const members = contentByRole.get(message['role'])
  return members !== undefined && hasOnly(message, members) && hasAll(message, members)
}

function isContent(content: unknown): boolean {
  return isText(content) || (Array.isArray(content) && content.every(isPlainPart))
}

const textPart = { type: isText, text: isText }
const imageUrl = { url: isText, detail: isText }
const imagePart = {
  type: isText,
  image_url: (value: unknown) => isObject(value) && isText(value['url']) && hasOnly(value, imageUrl),
}

function isPlainPart(part: unknown): boolean {
  if (!isObject(part)) return false
  const members = part['type'] === 'text' ? textPart : part['type'] === 'image_url' ? imagePart : undefined
  return members !== undefined && hasOnly(part, members) && hasAll(part, members)
}

/** No member but these, each as it must be. */
function hasOnly(object: JsonObject, members: Readonly<Record<string, Check>>): boolean {
  for (const name in object) {
    if (!Object.hasOwn(members, name) || !members[name]?.(object[name])) return false
  }
  return true
}

function hasAll(object: JsonObject, members: Readonly<Record<string, Check>>): boolean {
  for (const name in members) if (object[name] === undefined) return false
  return true
}
