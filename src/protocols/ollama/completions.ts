import { InvalidRequestError } from '../../errors.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import type { Completion, CompletionChunk, CompletionRequest } from '../../wire/completions.js'
import { type JsonObject, parseJson, stringOf } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { toFinishReason } from '../finish-reason.js'
import { MalformedEvents } from '../malformed-events.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { createdOf, toAnswerObject, toUsage } from './answer.js'
import { truncated } from './chat-stream.js'
import { samplingTable, toFormat, toOptions, toThink } from './options.js'

/** Text completions over `/api/generate`: https://docs.ollama.com/api/generate */
export const completionsCodec: Codec<'completions'> = { encode, decode, decodeStream: createStream }

const table = { ...samplingTable, suffix: (value: unknown) => ({ suffix: value }) }

function encode({ request: asked, deployment }: Exchange<'completions'>): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const handled = ['reasoning_effort', 'response_format', 'thinking']
  const { members, extra, unsupported } = translateParameters('completions', request, policy, table, handled)
  const { suffix, ...sampling } = members
  const body = {
    model: deployment.model,
    prompt: onlyPrompt(request.prompt, deployment.provider),
    ...(suffix !== undefined && { suffix }),
    stream: request.stream === true,
    ...toFormat(request['response_format']),
    ...toThink(request, deployment.model),
    ...toOptions(sampling, extra),
  }
  return {
    method: 'POST',
    path: '/api/generate',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    droppedParams: settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  }
}

function onlyPrompt(prompt: CompletionRequest['prompt'], provider: string): string {
  const only = Array.isArray(prompt) && prompt.length === 1 ? prompt[0] : prompt
  if (typeof only === 'string') return only
  throw new InvalidRequestError(`${provider} answers one prompt at a time, as a string.`, 'prompt')
}

type TextFinish = Completion['choices'][number]['finish_reason']

function toTextFinish(native: unknown): TextFinish {
  return toFinishReason(stringOf(native)) === 'length' ? 'length' : 'stop'
}

function decode(body: unknown, { id, created, deployment }: Exchange<'completions'>): Completion {
  const answer = toAnswerObject(body, 'response', deployment.provider)
  const usage = toUsage(answer)
  return {
    id: `cmpl-${id}`,
    object: 'text_completion',
    created: createdOf(answer) ?? created,
    model: stringOf(answer['model']) ?? deployment.model,
    choices: [
      {
        index: 0,
        text: stringOf(answer['response']) ?? '',
        finish_reason: toTextFinish(answer['done_reason']),
        logprobs: null,
      },
    ],
    ...(usage && { usage }),
  }
}

function createStream({ id, created, deployment }: Exchange<'completions'>): StreamDecoder<CompletionChunk> {
  const { provider } = deployment
  const malformed = new MalformedEvents(provider)
  let head = { id: `cmpl-${id}`, created, model: deployment.model }
  let identified = false
  let last: JsonObject | undefined

  const part = (choices: CompletionChunk['choices'], usage?: ChatUsage): StreamPart<CompletionChunk> => ({
    chunk: { ...head, object: 'text_completion', choices, ...(usage && { usage }) },
    forward: undefined,
  })

  return {
    get progress() {
      return last === undefined ? 'open' : 'terminated'
    },
    push({ data }) {
      const value = parseJson(data)
      if (value === undefined) {
        malformed.skip(false)
        return []
      }
      const answer = toAnswerObject(value, 'response', provider)
      if (!identified)
        head = { ...head, created: createdOf(answer) ?? created, model: stringOf(answer['model']) ?? head.model }
      identified = true
      if (answer['done'] === true) last = answer
      const text = stringOf(answer['response'])
      return text === undefined ? [] : [part([{ index: 0, text, finish_reason: null, logprobs: null }])]
    },
    end() {
      if (!last) throw truncated(provider)
      const usage = toUsage(last)
      const finish = part([{ index: 0, text: '', finish_reason: toTextFinish(last['done_reason']), logprobs: null }])
      return [finish, ...(usage ? [part([], usage)] : [])]
    },
  }
}
