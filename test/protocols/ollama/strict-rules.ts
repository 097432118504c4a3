import { isObject, type JsonObject } from '../../../src/wire/json.js'

// What Ollama's handlers refuse or silently ignore: https://github.com/ollama/ollama/blob/main/api/types.go
const members: Readonly<Record<string, readonly string[]>> = {
  '/api/chat': [
    'format',
    'keep_alive',
    'logprobs',
    'messages',
    'model',
    'options',
    'stream',
    'think',
    'tools',
    'top_logprobs',
    'truncate',
  ],
  '/api/generate': [
    'format',
    'images',
    'keep_alive',
    'model',
    'options',
    'prompt',
    'raw',
    'stream',
    'suffix',
    'system',
    'template',
    'think',
  ],
  '/api/embed': ['dimensions', 'input', 'keep_alive', 'model', 'options', 'truncate'],
}

const messageMembers = ['content', 'images', 'role', 'thinking', 'tool_call_id', 'tool_calls', 'tool_name']
const roles = ['system', 'user', 'assistant', 'tool']

/** Every rule that a body breaks; empty where the server would take it. */
export function brokenRules(path: string, body: JsonObject): readonly string[] {
  const known = members[path]
  if (!known) return [`no such path: ${path}`]
  const unknown = Object.keys(body).filter((name) => !known.includes(name))
  const problems = unknown.map((name) => `${name} is not looked at`)
  if (path !== '/api/embed' && typeof body['stream'] !== 'boolean') problems.push('stream is not said')
  const format = body['format']
  if (format !== undefined && format !== 'json' && !isObject(format)) problems.push('format is neither json nor schema')
  const messages = Array.isArray(body['messages']) ? body['messages'] : []
  return [...problems, ...messages.flatMap((message: unknown, at) => brokenInMessage(message, at))]
}

function brokenInMessage(message: unknown, at: number): readonly string[] {
  if (!isObject(message)) return [`message ${at} is no object`]
  const problems = Object.keys(message)
    .filter((name) => !messageMembers.includes(name))
    .map((name) => `message ${at}: ${name}`)
  if (!roles.includes(String(message['role']))) problems.push(`message ${at}: role ${String(message['role'])}`)
  if (typeof message['content'] !== 'string') problems.push(`message ${at}: content is no string`)
  const images: readonly unknown[] = Array.isArray(message['images']) ? message['images'] : []
  if (images.some((image) => typeof image !== 'string' || image.startsWith('data:'))) {
    problems.push(`message ${at}: an image that is not plain base64`)
  }
  const calls: readonly unknown[] = Array.isArray(message['tool_calls']) ? message['tool_calls'] : []
  for (const call of calls) {
    const called = isObject(call) ? call['function'] : undefined
    if (!isObject(called) || !isObject(called['arguments'])) problems.push(`message ${at}: arguments are no object`)
  }
  return problems
}
