import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { ChatCompletion } from '../../wire/chat.js'
import { isObject, type JsonObject, stringOf } from '../../wire/json.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import { type PlainTurn, toPlainTurns } from '../plain-text.js'
import type { Codec, Exchange } from '../protocol.js'
import { countsToUsage, jsonRequest } from '../text-answer.js'
import { modelPath } from './model.js'

/** Chat over `/chatbot`, which knows the conversation but no sampling: https://docs.nlpcloud.com/#chatbot-and-conversational-ai */
export const chat: Codec<'chat'> = { encode, decode, outputLimit: () => undefined }

function encode({ request: asked, deployment }: Exchange<'chat'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { extra, unsupported } = translateParameters('chat', request, policy, {})
  const body = { ...extra, ...toConversation(toPlainTurns(request.messages, deployment.provider)) }
  return jsonRequest(
    modelPath(deployment, 'chatbot'),
    body,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  )
}

/** The last turn of the user is the input, what was said before it the history, in pairs. */
function toConversation(turns: readonly PlainTurn[]): JsonObject {
  const context = turns.filter(({ role }) => role === 'system').map(({ text }) => text)
  const said = turns.filter(({ role }) => role !== 'system')
  const last = said.at(-1)
  if (last?.role !== 'user') {
    throw new InvalidRequestError('The last message must be of the user.', 'messages')
  }
  const history = toPairs(said)
  const open = history.pop()
  return {
    input: open?.input ?? last.text,
    ...(context.length > 0 && { context: context.join('\n\n') }),
    ...(history.length > 0 && { history }),
  }
}

interface Pair {
  readonly input: string
  readonly response: string
}

/** Turns of one side that follow each other belong together. */
function toPairs(turns: readonly PlainTurn[]): Pair[] {
  const pairs: Pair[] = []
  for (const { role, text } of turns) {
    const open = pairs.at(-1)
    if (role === 'assistant') {
      const pair = open ?? { input: '', response: '' }
      pairs.splice(open ? -1 : 0, open ? 1 : 0, { ...pair, response: join(pair.response, text) })
    } else if (open && open.response === '') {
      pairs.splice(-1, 1, { ...open, input: join(open.input, text) })
    } else {
      pairs.push({ input: text, response: '' })
    }
  }
  return pairs
}

const join = (before: string, text: string): string => (before === '' ? text : `${before}\n\n${text}`)

function decode(body: unknown, { id, created, deployment }: Exchange<'chat'>): ChatCompletion {
  const answer = isObject(body) ? body : {}
  const text = stringOf(answer['response'])
  if (text === undefined) throw invalidAnswer(body, deployment.provider, 'an answer without a response')
  const usage = countsToUsage(answer['nb_input_tokens'], answer['nb_generated_tokens'])
  return {
    id: `chatcmpl-${id}`,
    object: 'chat.completion',
    created,
    model: deployment.model,
    choices: [
      { index: 0, message: { role: 'assistant', content: text, refusal: null }, finish_reason: 'stop', logprobs: null },
    ],
    ...(usage && { usage }),
  }
}
