import type { ChatRequest } from '../../wire/chat.js'
import { isObject, stringOf } from '../../wire/json.js'

const allowed = /^[a-zA-Z0-9_-]{1,64}$/

/** FNV-1a, 32 bits, as eight hexadecimal digits: the same text gives the same digits in every process. */
function digest(text: string): string {
  let hash = 0x811c9dc5
  for (let index = 0; index < text.length; index += 1) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}

/**
 * A tool name or tool call id as Claude takes it, `^[a-zA-Z0-9_-]{1,64}$`. A changed one ends in a digest of the
 * original, so that two originals never meet. Empty stays empty: that is the caller's mistake to report.
 */
export function toWireName(name: string): string {
  if (name === '' || allowed.test(name)) return name
  return `${name.replaceAll(/[^a-zA-Z0-9_-]/g, '_').slice(0, 55)}_${digest(name)}`
}

function definedNames(request: ChatRequest): readonly string[] {
  return (request.tools ?? []).flatMap((tool) => {
    const name = tool.function?.name ?? stringOf(tool['name'])
    return name === undefined ? [] : [name]
  })
}

function calledNames(request: ChatRequest): readonly string[] {
  return request.messages.flatMap((message) => {
    if (message.role !== 'assistant') return []
    return (message.tool_calls ?? []).flatMap((call) => call.function?.name ?? call.custom?.name ?? [])
  })
}

/** Gives the caller's own name of a tool back for the one that Claude was told. */
export function fromWireName(wireName: string, request: ChatRequest): string {
  const original = [...definedNames(request), ...calledNames(request)].find((name) => toWireName(name) === wireName)
  return original ?? wireName
}

/** The name of the synthetic tool that carries a JSON answer; never one of the caller's. */
export function jsonToolName(request: ChatRequest): string {
  const taken = definedNames(request).map(toWireName)
  let name = 'json_tool_call'
  while (taken.includes(name)) name += '_'
  return name
}

/** The names of tools that a conversation mentions, each once, in the order of mention. */
export function mentionedNames(blocks: readonly unknown[]): readonly string[] {
  const names = blocks.flatMap((block) =>
    isObject(block) && block['type'] === 'tool_use' ? (stringOf(block['name']) ?? []) : [],
  )
  return [...new Set(names)]
}
