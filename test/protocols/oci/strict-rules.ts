import { isObject, type JsonObject } from '../../../src/wire/json.js'

const genericRoles = ['SYSTEM', 'USER', 'ASSISTANT', 'TOOL']

function objects(list: unknown): readonly JsonObject[] {
  return Array.isArray(list) ? list.filter(isObject) : []
}

/** What Oracle's API refuses in a chat request; one line each. https://docs.oracle.com/en-us/iaas/api/#/en/generative-ai-inference */
export function violations(body: JsonObject): readonly string[] {
  const { compartmentId, servingMode, chatRequest } = body
  const problems: string[] = []
  if (typeof compartmentId !== 'string') problems.push('no compartment')
  const mode = isObject(servingMode) ? servingMode : {}
  const target = mode['servingType'] === 'DEDICATED' ? mode['endpointId'] : mode['modelId']
  if (typeof target !== 'string') problems.push('no model or endpoint')
  if (!isObject(chatRequest)) return [...problems, 'no chatRequest']
  const foreign = Object.keys(chatRequest).filter((name) => name.includes('_') || name === 'model' || name === 'stream')
  if (foreign.length > 0) problems.push(`not members of this API: ${foreign.join()}`)
  return [...problems, ...(chatRequest['apiFormat'] === 'COHERE' ? cohere(chatRequest) : generic(chatRequest))]
}

function generic({ messages }: JsonObject): readonly string[] {
  const calls = new Set<unknown>()
  return objects(messages).flatMap((message) => {
    const { role, content, toolCalls, toolCallId } = message
    const problems = genericRoles.includes(String(role)) ? [] : [`role ${String(role)}`]
    if (content === undefined && toolCalls === undefined) problems.push('a message of nothing')
    const texts = objects(content).filter(({ type }) => type === 'TEXT')
    if (texts.some(({ text }) => text === '')) problems.push('an empty text')
    for (const call of objects(toolCalls)) {
      calls.add(call['id'])
      if (call['type'] !== 'FUNCTION' || typeof call['arguments'] !== 'string') problems.push('a call that is none')
    }
    if (role === 'TOOL' && !calls.has(toolCallId)) problems.push('a result without its call')
    return problems
  })
}

function cohere({ message, chatHistory, toolResults, messages }: JsonObject): readonly string[] {
  const problems = messages === undefined ? [] : ['messages are not known']
  if (typeof message !== 'string') problems.push('no message')
  if (message === '' && toolResults === undefined) problems.push('an empty message without tool results')
  const roles = objects(chatHistory).map(({ role }) => role)
  const unknown = roles.filter((role) => !['USER', 'CHATBOT', 'TOOL', 'SYSTEM'].includes(String(role)))
  return unknown.length > 0 ? [...problems, `roles ${unknown.join()}`] : problems
}
