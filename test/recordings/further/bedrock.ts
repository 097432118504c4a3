import type { Operation } from '../../../src/wire/operations.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import type { Answer } from '../answer.js'
import { objectsIn, type Exchange, type IndexEntry } from '../exchange.js'
import { readAnthropicAnswer } from '../expected-anthropic.js'
import { readOpenAiAnswer } from '../expected-openai.js'
import { fromAnthropicRequest } from '../reverse-anthropic.js'
import { canonicalConverse, fromConverse, modelInPath, readConverseAnswer, streamOf } from './bedrock-converse.js'
import { bedrockEquivalences } from './bedrock-equivalences.js'
import { fromEmbedding, fromPrompt, readTextAnswer, vectorsIn } from './bedrock-invoke.js'
import type { FurtherDialect } from './dialect.js'

/** What is spoken to a model on Bedrock. */
type Body = 'claude' | 'converse' | 'embeddings' | 'openai' | 'text'

// The model of recordings that lost its name, by API.
const unnamed: Readonly<Record<string, string>> = {
  'bedrock.invoke.ai21': 'ai21.j2-mid-v1',
  'bedrock.invoke.anthropic': 'anthropic.claude-haiku-4-5-20251001-v1:0',
  'bedrock.invoke.cohere': 'cohere.command-text-v14',
  'bedrock.invoke.cohere-embed': 'cohere.embed-english-v3',
  'bedrock.invoke.mistral': 'mistral.mistral-7b-instruct-v0:2',
  'bedrock.invoke.other': 'does-not-exist',
  'bedrock.invoke.titan': 'amazon.titan-text-express-v1',
  'bedrock.invoke.titan-embed': 'amazon.titan-embed-text-v1',
}

// Messages, sent to a model that mostly got prompts.
const messagesToText = new Set(['bedrock-bedrock-invoke-anthropic-0bca86b29dd1'])

function bodyOf({ api, id, model }: IndexEntry): Body {
  const name = model ?? unnamed[api] ?? ''
  if (api === 'bedrock.converse' || api === 'bedrock.invoke.nova') return 'converse'
  if (api.endsWith('-embed') || /inference-profile/.test(name)) return 'embeddings'
  if (/:endpoint\//.test(name)) return 'text'
  if (api === 'bedrock.invoke.anthropic')
    return /claude-v|instant/.test(name) && !messagesToText.has(id) ? 'text' : 'claude'
  if (/jamba|pixtral|gpt-oss/.test(name)) return 'openai'
  return api === 'bedrock.invoke.other' ? 'claude' : 'text'
}

const operations: Readonly<Record<Body, Operation>> = {
  claude: 'chat',
  converse: 'chat',
  embeddings: 'embeddings',
  openai: 'chat',
  text: 'completions',
}

const reverse: Readonly<Record<Body, (body: JsonObject | undefined) => JsonObject>> = {
  claude: fromMessages,
  converse: fromConverse,
  embeddings: fromEmbedding,
  openai: (body) => body ?? { messages: [{ role: 'user', content: 'hi' }] },
  text: fromPrompt,
}

function fromMessages(body: JsonObject | undefined): JsonObject {
  if (!body) return { messages: [{ role: 'user', content: 'hi' }] }
  const { anthropic_version: _version, ...rest } = body
  return fromAnthropicRequest(rest)
}

function readAnswer(payloads: readonly unknown[], exchange: Exchange): Answer {
  const body = bodyOf(exchange.entry)
  if (body === 'claude') return readAnthropicAnswer(payloads, exchange.response.format === 'eventstream')
  if (body === 'converse') return readConverseAnswer(payloads)
  return body === 'openai' ? readOpenAiAnswer(payloads.map(withoutTags)) : readTextAnswer(payloads, exchange)
}

/** gpt-oss marks what it thinks with tags of its own; they are told apart here as `reasoning_content`. */
function withoutTags(payload: unknown): unknown {
  if (!isObject(payload)) return payload
  const choices = objectsIn(payload['choices']).map((choice) =>
    Object.fromEntries(Object.entries(choice).map(([name, value]) => [name, splitThought(value)])),
  )
  return { ...payload, choices }
}

function splitThought(message: unknown): unknown {
  if (!isObject(message) || typeof message['content'] !== 'string') return message
  const { content } = message
  const end = content.indexOf('</reasoning>')
  if (!content.startsWith('<reasoning>') || end < 0) return message
  return { ...message, content: content.slice(end + 12), reasoning_content: content.slice(11, end) }
}

/** The name by which the deployment asks for the API. */
function deployedModel(exchange: Exchange): string {
  const { entry } = exchange
  const id = modelInPath(exchange) ?? entry.model ?? unnamed[entry.api] ?? 'm'
  if (entry.api === 'bedrock.converse' || bodyOf(entry) === 'embeddings') return id
  return /:endpoint\//.test(id) ? `deepseek_r1/${id}` : `invoke/${id}`
}

/** Bedrock: Converse, and the bodies of InvokeModel. */
export const bedrock: FurtherDialect = {
  request(exchange) {
    const streamed = bodyOf(exchange.entry) === 'embeddings' ? {} : streamOf(exchange)
    const { stream: _stream, ...request } = reverse[bodyOf(exchange.entry)](exchange.request?.body)
    return { ...request, ...streamed }
  },
  answer: readAnswer,
  data: vectorsIn,
  model: deployedModel,
  canonical: canonicalConverse,
  equivalences: bedrockEquivalences,
}

// Facts of single recordings that leave nothing to replay.
const unusable: Readonly<Record<string, string>> = {
  'bedrock-bedrock-invoke-nova-61d6e9870844': "a made-up exchange: Titan's body sent to Nova, which would refuse it",
  'bedrock-bedrock-invoke-nova-ac58f434e01f': "a made-up exchange: Titan's body sent to Nova, which would refuse it",
  'bedrock-bedrock-invoke-cohere-embed-de71e8aa1707': "a made-up reply: Cohere's request answered in OpenAI's format",
}

/** How an exchange of Bedrock's own APIs is replayed, or why it is left out; undefined for any other. */
export function bedrockReplay(entry: IndexEntry) {
  if (entry.provider !== 'bedrock' || !entry.api.startsWith('bedrock.')) return undefined
  if (entry.api === 'bedrock.count_tokens') return 'counts tokens, which is no operation of this gateway yet'
  if (entry.api === 'bedrock.invoke.cohere-rerank')
    return 'documents put in order, which is no operation of this gateway yet'
  const fact = unusable[entry.id]
  if (fact !== undefined) return fact
  return { dialect: 'bedrock', operation: operations[bodyOf(entry)], provider: 'bedrock' } as const
}
