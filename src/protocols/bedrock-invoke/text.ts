import type { UpstreamEvent, UpstreamRequest } from '../../upstream/message.js'
import type { Completion, CompletionChunk } from '../../wire/completions.js'
import { isObject, parseJson } from '../../wire/json.js'
import type { ChatUsage } from '../../wire/usage.js'
import { invalidAnswer, truncated } from '../invalid-answer.js'
import { invokeRequest, textInChunk, usageInChunk, usageInHeaders } from '../invoke-envelope.js'
import { MalformedEvents } from '../malformed-events.js'
import { ignoredIn, settleRequest, settleUnsupported, translateParameters } from '../parameter-table.js'
import { onlyPrompt } from '../plain-text.js'
import type { Codec, Exchange, StreamDecoder, StreamPart } from '../protocol.js'
import { countsToUsage, textChoice, textHead, textPart, toTextFinish } from '../text-answer.js'
import type { TextBody, TextCounts } from './text-bodies.js'

/** Text completions of models that continue a prompt on InvokeModel. */
export function createTextCodec(body: TextBody): Codec<'completions'> {
  return {
    encode: (exchange) => encode(exchange, body),
    decode: (answer, exchange, headers) => decode(answer, exchange, body, headers),
    decodeStream: (exchange) => new TextStream(exchange, body),
  }
}

function encode({ request: asked, deployment }: Exchange<'completions'>, body: TextBody): UpstreamRequest {
  const { request, policy } = settleRequest(asked, deployment)
  const { members, extra, unsupported } = translateParameters('completions', request, policy, body.parameters)
  const stream = request.stream === true && body.streams !== false
  const written = body.write(onlyPrompt(request.prompt, deployment.provider), {
    ...extra,
    ...members,
    ...(stream && body.streaming),
  })
  return invokeRequest(
    deployment.model,
    written,
    stream,
    settleUnsupported(deployment, policy, unsupported, ignoredIn(request)),
  )
}

function decode(
  answer: unknown,
  exchange: Exchange<'completions'>,
  body: TextBody,
  headers: Readonly<Record<string, string>> | undefined,
): Completion {
  const pieces = isObject(answer) ? body.read(answer) : []
  if (!isObject(answer) || pieces.every(({ text, finish }) => text === '' && finish === undefined)) {
    throw invalidAnswer(answer, exchange.deployment.provider, 'an answer without text')
  }
  const counts = body.counts?.(answer)
  const usage = usageInHeaders(headers) ?? countsToUsage(counts?.prompt, counts?.completion)
  return {
    ...textHead(exchange),
    choices: pieces.map(({ index, text, finish }) => textChoice(index, text, finish)),
    ...(usage && { usage }),
  }
}

type Part = StreamPart<CompletionChunk>

class TextStream implements StreamDecoder<CompletionChunk> {
  readonly #exchange: Exchange<'completions'>
  readonly #body: TextBody
  readonly #malformed: MalformedEvents
  readonly #finishes = new Map<number, string | undefined>()
  #counts: TextCounts = {}
  #usage: ChatUsage | undefined
  progress: 'open' | 'finished' | 'terminated' = 'open'

  constructor(exchange: Exchange<'completions'>, body: TextBody) {
    this.#exchange = exchange
    this.#body = body
    this.#malformed = new MalformedEvents(exchange.deployment.provider)
  }

  push(event: UpstreamEvent): readonly Part[] {
    const text = textInChunk(event, this.#exchange.deployment.provider)
    const payload = text === undefined ? undefined : parseJson(text)
    if (!isObject(payload)) {
      this.#malformed.skip(false)
      return []
    }
    const { prompt, completion } = this.#body.counts?.(payload) ?? {}
    this.#counts = { prompt: prompt ?? this.#counts.prompt, completion: completion ?? this.#counts.completion }
    this.#usage = usageInChunk(payload) ?? this.#usage
    const pieces = this.#body.read(payload)
    for (const { index, finish } of pieces) {
      this.#finishes.set(index, finish ?? this.#finishes.get(index))
      if (finish !== undefined) this.progress = 'finished'
    }
    const choices = pieces
      .filter(({ text: said }) => said !== '')
      .map(({ index, text: said }) => ({ index, text: said, finish_reason: null, logprobs: null }))
    return choices.length === 0 ? [] : [textPart(textHead(this.#exchange), choices)]
  }

  end(): readonly Part[] {
    if (this.progress === 'open') throw truncated(this.#exchange.deployment.provider)
    const head = textHead(this.#exchange)
    // One of several choices may tell the end of all.
    const shared = [...this.#finishes.values()].find((finish) => finish !== undefined)
    const finishes = [...this.#finishes].map(([index, finish]) => ({
      index,
      text: '',
      finish_reason: toTextFinish(finish ?? shared),
      logprobs: null,
    }))
    const usage = this.#usage ?? countsToUsage(this.#counts.prompt, this.#counts.completion)
    return [textPart(head, finishes), ...(usage ? [textPart(head, [], usage)] : [])]
  }
}
