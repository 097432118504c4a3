import { z } from 'zod'
import { isObject, type JsonObject, parseJson } from '../wire/json.js'
import type { Prompt, PromptMessage, PromptReference } from './prompt-store.js'

const roles = ['system', 'developer', 'user', 'assistant'] as const
const message = z.object({ role: z.enum(roles), content: z.string() })

/** A list of messages, or one text, which is the user's. */
export const promptMessages = z.union([
  z.string().transform((content): PromptMessage[] => [{ role: 'user', content }]),
  z.array(message).min(1),
])

/** What a prompt says besides its messages: the model, and parameters of a request; anything else is not read. */
export function splitConfig(config: unknown): Pick<Prompt, 'model' | 'parameters'> {
  if (!isObject(config)) return { parameters: {} }
  const { model, ...others } = config
  const parameters = Object.fromEntries(Object.entries(others).filter(([name]) => requestParameters.has(name)))
  return { ...(typeof model === 'string' && model !== '' && { model }), parameters }
}

// A prompt's configuration is free data in most stores; only these belong to a request.
const requestParameters: ReadonlySet<string> = new Set([
  'frequency_penalty',
  'logit_bias',
  'logprobs',
  'max_completion_tokens',
  'max_tokens',
  'n',
  'parallel_tool_calls',
  'presence_penalty',
  'reasoning_effort',
  'response_format',
  'seed',
  'stop',
  'temperature',
  'tool_choice',
  'tools',
  'top_logprobs',
  'top_p',
  'verbosity',
])

/**
 * Reads a prompt file. JSON holds `{ messages | prompt, config }`. Text is a dotprompt: settings between two lines of
 * `---`, one `name: value` a line (values as in JSON, or text), then messages that begin with `System:`, `User:`,
 * `Assistant:` or `Developer:` at the start of a line; without any, all of it is the user's.
 * @throws Error for a file that is neither
 */
export function readPrompt(text: string, { id, version = '1' }: PromptReference): Prompt {
  const parsed = text.trimStart().startsWith('{') ? parseJson(text) : undefined
  if (isObject(parsed)) {
    const messages = promptMessages.parse(parsed['messages'] ?? parsed['prompt'])
    return { id, version, messages, ...splitConfig(parsed['config'] ?? parsed) }
  }
  const front = /^---[^\S\n]*\r?\n([\s\S]*?)\r?\n---[^\S\n]*(?:\r?\n|$)/.exec(text)
  const body = front ? text.slice(front[0].length) : text
  return { id, version, messages: toMessages(body), ...splitConfig(toSettings(front?.[1] ?? '')) }
}

function toSettings(front: string): JsonObject {
  const settings: Record<string, unknown> = {}
  for (const line of front.split(/\r?\n/)) {
    // Nested settings describe inputs and outputs; a request has none of them.
    const [, name, value = ''] = /^([\w-]+):(?:\s+(.*))?$/.exec(line) ?? []
    if (name !== undefined && value.trim() !== '') settings[name] = parseJson(value.trim()) ?? value.trim()
  }
  return settings
}

function toMessages(body: string): readonly PromptMessage[] {
  const pieces = body.split(/^(System|Developer|User|Assistant):[^\S\n]*/im)
  const before = pieces[0]?.trim() ?? ''
  const messages: PromptMessage[] = before === '' ? [] : [{ role: 'user', content: before }]
  for (let i = 1; i < pieces.length; i += 2) {
    const role = roles.find((one) => one === pieces[i]?.toLowerCase())
    if (role) messages.push({ role, content: pieces[i + 1]?.trim() ?? '' })
  }
  if (messages.length === 0) throw new Error('The prompt is empty.')
  return messages
}
