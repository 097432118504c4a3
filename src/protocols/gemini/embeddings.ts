import { GatewayError, InvalidRequestError } from '../../errors.js'
import { ContentPart } from '../../wire/chat.js'
import { EmbeddingRequest, type EmbeddingResponse } from '../../wire/embeddings.js'
import { isObject, numberOf, stringOf, type JsonObject } from '../../wire/json.js'
import { toBase64Vector } from '../embedding-encoding.js'
import { toDropPolicy } from '../gateway-fields.js'
import type { Codec, Exchange } from '../protocol.js'
import type { UpstreamRequest } from '../../upstream/message.js'
import { errorIn } from './failure.js'
import { modelOf } from './model.js'
import { toModelResource, type GeminiOptions } from './options.js'
import { toParts } from './parts.js'
import {
  ignoredFields,
  settleUnsupported,
  writeBody,
  toExtraFields,
  withDefaults,
  withoutDropped,
} from './request-body.js'

const known: ReadonlySet<string> = new Set([
  ...Object.keys(EmbeddingRequest.shape),
  'input_type',
  'output_dimensionality',
  'outputDimensionality',
  'task_type',
  'taskType',
])

// https://ai.google.dev/api/embeddings#method:-models.batchembedcontents: more are refused with INVALID_ARGUMENT.
const most = 100

/** Embeddings over batchEmbedContents, for one input or many: https://ai.google.dev/api/embeddings. */
export function createEmbeddingsCodec(options: GeminiOptions): Codec<'embeddings'> {
  return { encode: (exchange) => encode(exchange, options), decode, mostInputs: () => most }
}

function encode({ request: asked, deployment }: Exchange<'embeddings'>, options: GeminiOptions): UpstreamRequest {
  const policy = toDropPolicy(asked, deployment.params, deployment.dropParams)
  const request = withoutDropped(withDefaults(asked, deployment), policy)
  const extra = toExtraFields(request, known, options.labels)
  const taskType = toTaskType(request)
  const width = request.dimensions ?? request['output_dimensionality'] ?? request['outputDimensionality']
  const shared: JsonObject = {
    ...extra.body,
    ...(taskType !== undefined && { taskType }),
    ...(width !== undefined && width !== null && { outputDimensionality: width }),
  }
  const context = { model: modelOf(deployment), options }
  const model = toModelResource(deployment.model)
  const contents = toInputs(request.input, (part, param) => toParts([part], param, context))
  const requests = contents.map((parts) => ({ model, content: { parts }, ...shared }))
  return {
    method: 'POST',
    path: options.path(deployment, 'batchEmbedContents'),
    headers: { 'content-type': 'application/json' },
    body: writeBody({ requests }),
    droppedParams: settleUnsupported(deployment, policy, extra.unsupported, ignoredFields(request)),
  }
}

type PartReader = (part: ContentPart, param: string) => readonly JsonObject[]

function toInputs(input: EmbeddingRequest['input'], readPart: PartReader): readonly (readonly JsonObject[])[] {
  const list: readonly unknown[] = Array.isArray(input) ? input : [input]
  return list.map((entry, position) => {
    const param = Array.isArray(input) ? `input[${position}]` : 'input'
    if (typeof entry === 'string') return [{ text: entry }]
    if (!isObject(entry)) {
      throw new InvalidRequestError('Gemini cannot embed token ids: send the text itself.', param)
    }
    const part = ContentPart.safeParse(entry)
    if (!part.success) throw new InvalidRequestError('An input must be a text or a content part.', param)
    return readPart(part.data, param)
  })
}

// Cohere's and Voyage's names for Gemini's task types.
const taskTypes: Readonly<Record<string, string>> = {
  search_document: 'RETRIEVAL_DOCUMENT',
  document: 'RETRIEVAL_DOCUMENT',
  passage: 'RETRIEVAL_DOCUMENT',
  search_query: 'RETRIEVAL_QUERY',
  query: 'RETRIEVAL_QUERY',
}

function toTaskType(request: JsonObject): string | undefined {
  const given = stringOf(request['task_type']) ?? stringOf(request['taskType']) ?? stringOf(request['input_type'])
  if (given === undefined) return undefined
  return (Object.hasOwn(taskTypes, given) ? taskTypes[given] : undefined) ?? given.toUpperCase()
}

function decode(body: unknown, { request, deployment }: Exchange<'embeddings'>): EmbeddingResponse {
  const error = errorIn(body, deployment.provider)
  if (error) throw error
  const vectors = isObject(body) ? vectorsIn(body) : []
  const expected = Array.isArray(request.input) ? request.input.length : 1
  if (vectors.length !== expected) {
    throw new GatewayError(
      'upstream_invalid',
      `The provider sent ${vectors.length} embeddings for ${expected} inputs.`,
      {
        upstream: { provider: deployment.provider, status: 200 },
      },
    )
  }
  const asText = request.encoding_format === 'base64'
  const tokens = isObject(body) ? tokensIn(body) : 0
  return {
    object: 'list',
    data: vectors.map((vector, index) => ({
      object: 'embedding',
      index,
      embedding: asText ? toBase64Vector(vector) : [...vector],
    })),
    model: deployment.model,
    usage: { prompt_tokens: tokens, total_tokens: tokens },
  }
}

function vectorsIn(body: JsonObject): readonly (readonly number[])[] {
  const list: readonly unknown[] = Array.isArray(body['embeddings']) ? body['embeddings'] : [body['embedding']]
  return list.flatMap((entry) => {
    const values: unknown = isObject(entry) ? entry['values'] : undefined
    return Array.isArray(values) && values.every((value) => numberOf(value) !== undefined) ? [values] : []
  })
}

/** Only newer embedding models tell what they counted; 0 where they do not. */
function tokensIn({ usageMetadata }: JsonObject): number {
  return isObject(usageMetadata) ? (numberOf(usageMetadata['promptTokenCount']) ?? 0) : 0
}
