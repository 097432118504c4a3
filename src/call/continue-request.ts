import { capabilitiesOf } from '../catalog/capabilities.js'
import { estimateTextTokens } from '../catalog/text-tokens.js'
import type { Deployment } from '../deployment.js'
import type { AssistantMessage, ChatRequest } from '../wire/chat.js'
import type { SentAnswer } from './sent-answer.js'

/** A request for the rest of an answer. */
export interface Continuation {
  readonly request: ChatRequest
  /** White space that the client has and the request does not show; the rest may begin with it once more. */
  readonly space: string
  /** Tokens of the answer that have become input, estimated. */
  readonly tokens: number
}

// Families whose makers document that a last assistant message is continued. Of all others the host has to say so:
// most servers take such a message and answer it anew, which would be glued to what was sent.
const continuing: ReadonlySet<string> = new Set(['claude', 'mistral'])
// https://docs.mistral.ai/capabilities/completion/prefix · https://api-docs.deepseek.com/guides/chat_prefix_completion
const marking: ReadonlySet<string> = new Set(['mistral', 'deepseek'])

/** True where a deployment may be asked for the rest of an answer; whether the answer so far allows it shows later. */
export function mayContinue(request: ChatRequest, { provider, model, capabilities }: Deployment): boolean {
  const profile = capabilitiesOf(provider, model, capabilities)
  const declared = capabilities.assistantPrefill ?? continuing.has(profile.family)
  return declared && profile.assistantPrefill && isContinuable(request)
}

/**
 * The request that lets a deployment go on where an answer broke off: what was sent, as the last message of the
 * assistant. What may still be generated shrinks by what was. Undefined where the deployment, or the answer, cannot be
 * continued: reasoning, tool calls, several choices and formats are not.
 */
export function continuationOf(
  request: ChatRequest,
  sent: SentAnswer,
  deployment: Deployment,
): Continuation | undefined {
  if (!mayContinue(request, deployment)) return undefined
  const text = sent.onlyContent()
  const content = text?.trimEnd()
  if (text === undefined || !content) return undefined
  const message: AssistantMessage = { role: 'assistant', content }
  const { family } = capabilitiesOf(deployment.provider, deployment.model, deployment.capabilities)
  if (marking.has(family)) message['prefix'] = true
  const { tokens } = estimateTextTokens(content)
  return {
    request: { ...request, messages: [...request.messages, message], ...fewerTokens(request, tokens) },
    space: text.slice(content.length),
    tokens,
  }
}

function isContinuable({
  messages,
  n,
  response_format: format,
  reasoning_effort: effort,
  thinking,
}: ChatRequest): boolean {
  if (messages.at(-1)?.role === 'assistant' || (n ?? 1) > 1) return false
  if (format && format.type !== 'text') return false
  // Claude refuses a beginning of its answer while it thinks.
  return (effort ?? 'none') === 'none' && (thinking?.type ?? 'disabled') === 'disabled'
}

function fewerTokens(request: ChatRequest, tokens: number): Partial<ChatRequest> {
  const { max_tokens: most, max_completion_tokens: mostCompletion } = request
  return {
    ...(most && { max_tokens: Math.max(1, most - tokens) }),
    ...(mostCompletion && { max_completion_tokens: Math.max(1, mostCompletion - tokens) }),
  }
}
