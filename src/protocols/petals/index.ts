import type { UpstreamRequest } from '../../upstream/message.js'
import type { Completion } from '../../wire/completions.js'
import { isObject, stringOf } from '../../wire/json.js'
import { chatOverCompletions } from '../chat-over-completions.js'
import { readFailure, toUpstreamError } from '../failure.js'
import { invalidAnswer } from '../invalid-answer.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import { onlyPrompt } from '../plain-text.js'
import type { Codec, Exchange, Protocol } from '../protocol.js'
import { textChoice, textHead } from '../text-answer.js'

const names = { max_tokens: 'max_new_tokens', temperature: 'temperature', top_p: 'top_p' }
// One of `max_length` and `max_new_tokens` is mandatory.
const defaultNewTokens = 512

/**
 * Text completions over `/api/v1/generate` of a Petals server, a form with a JSON answer; errors come with status 200:
 * https://github.com/petals-infra/chat.petals.dev#http-api-apiv1
 */
const completions: Codec<'completions'> = { encode, decode }

function encode({ request: asked, deployment }: Exchange<'completions'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('completions', request, policy, names)
  const { temperature, ...others } = { ...extra, ...members }
  // The server divides by the temperature; 0 means the likeliest token.
  const samples = temperature !== 0 && ['temperature', 'top_p', 'top_k'].some((name) => request[name] !== undefined)
  const fields: Record<string, unknown> = {
    ...('max_length' in others ? {} : { max_new_tokens: defaultNewTokens }),
    ...others,
    model: deployment.model,
    inputs: onlyPrompt(request.prompt, deployment.provider),
    do_sample: samples ? 1 : 0,
    ...(samples && temperature !== undefined && { temperature }),
  }
  const form = new URLSearchParams(
    Object.entries(fields).map(([name, value]): [string, string] => [name, String(value)]),
  )
  return {
    method: 'POST',
    path: '/api/v1/generate',
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
    body: form.toString(),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

function decode(body: unknown, exchange: Exchange<'completions'>): Completion {
  const { provider } = exchange.deployment
  const answer = isObject(body) ? body : {}
  if (answer['ok'] === false) throw toUpstreamError(readTrace(answer['traceback']), 500, provider)
  const text = answer['outputs']
  if (typeof text !== 'string') throw invalidAnswer(body, provider, 'an answer without outputs')
  return { ...textHead(exchange), choices: [textChoice(0, text, 'stop')] }
}

/** The last line of a Python traceback is what went wrong; the lines before it are the server's own. */
function readTrace(traceback: unknown): ReturnType<typeof readFailure> {
  const lines = (stringOf(traceback) ?? '').trim().split('\n')
  return readFailure(500, { error: lines.at(-1)?.trim() || 'The server failed without a reason.' })
}

/** A Petals server's HTTP API. */
export const petalsProtocol: Protocol = {
  name: 'petals',
  codecs: { chat: chatOverCompletions(completions), completions },
  failure: readFailure,
}
