import type { ModelCapabilities } from '../../deployment.js'
import type { Quirks } from '../../protocols/openai/quirks.js'
import { OuterDecoder } from '../../protocols/outer-decoder.js'
import type { Codec, Exchange, Protocol, StreamDecoder } from '../../protocols/protocol.js'
import type { UpstreamEvent, UpstreamRequest } from '../../upstream/message.js'
import { isObject, type JsonObject, parseJson } from '../../wire/json.js'
import type { Operation, Operations } from '../../wire/operations.js'
import { mergeQuirks } from './merge-quirks.js'

/** Something about a request's parameter: that it is set (not null), and is or is not one of some values. */
interface Condition {
  /** Name, or a path into an object: `response_format.type`. */
  readonly parameter: string
  readonly is?: readonly unknown[]
  readonly isNot?: readonly unknown[]
}

/** Quirks that hold for some models, operations or requests only; every condition that is given must hold. */
interface Variant {
  /**
   * Asked about the model's name at the provider, as the deployment gives it: a pattern, or what the catalog knows under
   * what the host says of it.
   */
  readonly models?: { test(model: string, own: ModelCapabilities): boolean }
  readonly operation?: Operation
  readonly when?: Condition
  readonly quirks: Quirks
}

/** Turns an answer, or the data of one stream event, into OpenAI's shape; gives back what is fine as it is. */
export type Answer = (body: JsonObject) => JsonObject

/** What a row says about its dialect. */
export interface RowDialect {
  readonly quirks?: Quirks
  readonly variants?: readonly Variant[]
  readonly answers?: { readonly [K in Operation]?: Answer }
}

/** The engine for a set of quirks. */
type Speak = (quirks: Quirks) => Protocol

/** The quirks that hold for one call, and the engine made of them. */
interface Spoken {
  readonly quirks: Quirks
  readonly protocol: Protocol
}
type Choose = (operation: Operation, exchange: Exchange<Operation>) => Spoken

/**
 * The protocol of one row: the engine itself, or, where a row has variants or answers of its own shape, one that
 * chooses the engine per call. `{model}` in a path stands for the model's name at the provider.
 */
export function createRowProtocol(speak: Speak, row: RowDialect): Protocol {
  const { quirks = {}, variants = [], answers = {} } = row
  const base = speak(quirks)
  const hasModelInPath = Object.values(quirks.paths ?? {}).some((path) => path.includes('{model}'))
  if (variants.length === 0 && Object.keys(answers).length === 0 && !hasModelInPath) return base

  const choose = createChooser(speak, { quirks, protocol: base }, variants)
  const { chat, completions, embeddings, images, moderations } = base.codecs
  return {
    name: base.name,
    failure: (status, body) => base.failure(status, body),
    codecs: {
      ...(chat && { chat: createRowCodec('chat', choose, chat, answers.chat) }),
      ...(completions && { completions: createRowCodec('completions', choose, completions, answers.completions) }),
      ...(embeddings && { embeddings: createRowCodec('embeddings', choose, embeddings, answers.embeddings) }),
      ...(images && { images: createRowCodec('images', choose, images, answers.images) }),
      ...(moderations && { moderations: createRowCodec('moderations', choose, moderations, answers.moderations) }),
    },
  }
}

function createChooser(speak: Speak, base: Spoken, variants: readonly Variant[]): Choose {
  // One entry per set of variants that occurs together, so at most 2^variants.
  const known = new Map<number, Spoken>([[0, base]])
  return (operation, exchange) => {
    let set = 0
    variants.forEach((variant, at) => {
      if (holds(variant, operation, exchange)) set |= 1 << at
    })
    const found = known.get(set)
    if (found) return found
    const chosen = variants.filter((_, at) => set & (1 << at)).map((variant) => variant.quirks)
    const quirks = chosen.reduce(mergeQuirks, base.quirks)
    const made = { quirks, protocol: speak(quirks) }
    known.set(set, made)
    return made
  }
}

function holds(variant: Variant, operation: Operation, exchange: Exchange<Operation>): boolean {
  const { model, capabilities } = exchange.deployment
  if (variant.operation !== undefined && variant.operation !== operation) return false
  if (variant.models !== undefined && !variant.models.test(model, capabilities)) return false
  return variant.when === undefined || conditionHolds(variant.when, exchange)
}

function conditionHolds({ parameter, is, isNot }: Condition, { request, deployment }: Exchange<Operation>): boolean {
  const path = parameter.split('.')
  const value = valueAt(request, path) ?? valueAt(deployment.params, path)
  if (value === undefined) return false
  if (is !== undefined && !is.includes(value)) return false
  return isNot === undefined || !isNot.includes(value)
}

function valueAt(value: unknown, path: readonly string[]): unknown {
  let at: unknown = value
  for (const name of path) at = isObject(at) ? at[name] : undefined
  return at ?? undefined
}

function createRowCodec<K extends Operation>(
  operation: K,
  choose: Choose,
  base: Codec<K>,
  answer: Answer | undefined,
): Codec<K> {
  const codecFor = (exchange: Exchange<K>): Codec<K> => choose(operation, exchange).protocol.codecs[operation] ?? base
  const read =
    answer === undefined ? (body: unknown) => body : (body: unknown) => (isObject(body) ? answer(body) : body)
  const codec: Codec<K> = {
    encode: (exchange) => {
      const { quirks, protocol } = choose(operation, exchange)
      return withModelInPath((protocol.codecs[operation] ?? base).encode(exchange), quirks, exchange.deployment.model)
    },
    decode: (body, exchange) => codecFor(exchange).decode(read(body), exchange),
    mostInputs: (exchange) => codecFor(exchange).mostInputs?.(exchange) ?? Infinity,
  }
  if (!base.decodeStream) return codec
  return { ...codec, decodeStream: (exchange) => createRowDecoder(codecFor(exchange), base, answer, exchange) }
}

function createRowDecoder<K extends Operation>(
  codec: Codec<K>,
  base: Codec<K>,
  answer: Answer | undefined,
  exchange: Exchange<K>,
): StreamDecoder<Operations[K]['chunk']> {
  const decoder = codec.decodeStream?.(exchange) ?? base.decodeStream?.(exchange)
  if (!decoder) throw new TypeError('an engine that streams gave a codec that does not')
  if (!answer) return decoder
  return new OuterDecoder(decoder, {
    push: (event) => decoder.push(answerEvent(event, answer)),
    end: () => decoder.end(),
  })
}

function answerEvent(event: UpstreamEvent, answer: Answer): UpstreamEvent {
  const body = parseJson(event.data)
  if (!isObject(body)) return event
  const answered = answer(body)
  return answered === body ? event : { event: event.event, data: JSON.stringify(answered), frame: undefined }
}

function withModelInPath(request: UpstreamRequest, quirks: Quirks, model: string): UpstreamRequest {
  if (!request.path.includes('{model}')) return request
  const name = quirks.modelName?.(model) ?? model
  return { ...request, path: request.path.replace('{model}', name.split('/').map(encodeURIComponent).join('/')) }
}
