import type { Operation } from '../../../src/wire/operations.js'
import { stringOf } from '../../../src/wire/json.js'
import type { IndexEntry } from '../exchange.js'
import { ai21 } from './ai21.js'
import { alephAlpha } from './aleph-alpha.js'
import { cloudflare } from './cloudflare.js'
import { cohere } from './cohere.js'
import { bedrock, bedrockReplay } from './bedrock.js'
import type { FurtherDialect } from './dialect.js'
import { huggingFaceTask } from './hugging-face-tasks.js'
import { huggingfaceTask, tgi } from './huggingface.js'
import { bfl, fal, hyperbolic } from './images.js'
import { imagen } from './imagen.js'
import { perplexityEmbeddings } from './perplexity.js'
import { ollama } from './ollama.js'
import { palm } from './palm.js'
import { replicate } from './replicate.js'
import { imagenAnswers, vertexClaude, vertexPredict } from './vertex.js'
import { sagemaker, sagemakerReplay } from './sagemaker.js'
import { voyageMultimodal } from './voyage.js'
import { watsonx } from './watsonx.js'

const dialects = {
  ai21,
  alephAlpha,
  bedrock,
  bfl,
  cloudflare,
  fal,
  hyperbolic,
  imagen,
  replicate,
  sagemaker,
  voyageMultimodal,
  watsonx,
  perplexityEmbeddings,
  cohere,
  huggingfaceTask,
  ollama,
  palm,
  tgi,
  vertexClaude,
  vertexPredict,
}

/** The name of a dialect that has a file here. */
export type FurtherName = keyof typeof dialects

/** The dialects that have a file here, by name. */
export const furtherDialects: Readonly<Record<FurtherName, FurtherDialect>> = dialects

/** The dialect of that name; undefined where it is one of the others. */
export function furtherDialect(name: string): FurtherDialect | undefined {
  return Object.entries<FurtherDialect>(dialects).find(([known]) => known === name)?.[1]
}

/** How an exchange of these dialects is replayed. */
interface FurtherReplay {
  readonly dialect: FurtherName | 'openai'
  readonly operation: Operation
  readonly provider: string
}

/** How text generation, pictures and vectors of Hugging Face's own inference are replayed. */
function huggingFaceReplay(entry: IndexEntry): FurtherReplay | string {
  const task = huggingFaceTask(entry)
  if (typeof task === 'string') return task
  const dialects = {
    chat: 'openai',
    completions: 'tgi',
    embeddings: 'huggingfaceTask',
    images: 'huggingfaceTask',
  } as const
  return { ...task, dialect: dialects[task.operation], provider: 'huggingface' }
}

const embeddings = { dialect: 'alephAlpha', operation: 'embeddings', provider: 'aleph_alpha' } as const

const apis: Readonly<Record<string, FurtherReplay>> = {
  'ai21.complete': { dialect: 'ai21', operation: 'completions', provider: 'ai21' },
  'aleph_alpha.batch_semantic_embed': embeddings,
  'aleph_alpha.complete': { dialect: 'alephAlpha', operation: 'completions', provider: 'aleph_alpha' },
  'aleph_alpha.instructable_embed': embeddings,
  'aleph_alpha.semantic_embed': embeddings,
  'bfl.create': { dialect: 'bfl', operation: 'images', provider: 'black_forest_labs' },
  'bfl.get_result': { dialect: 'bfl', operation: 'images', provider: 'black_forest_labs' },
  'cohere.v1.embed': { dialect: 'cohere', operation: 'embeddings', provider: 'cohere' },
  'cohere.v2.chat': { dialect: 'cohere', operation: 'chat', provider: 'cohere' },
  'cohere.v2.embed': { dialect: 'cohere', operation: 'embeddings', provider: 'cohere' },
  'cloudflare.run': { dialect: 'cloudflare', operation: 'chat', provider: 'cloudflare' },
  'fal.run': { dialect: 'fal', operation: 'images', provider: 'fal_ai' },
  'gemini.predict': { dialect: 'imagen', operation: 'images', provider: 'gemini' },
  'ollama.chat': { dialect: 'ollama', operation: 'chat', provider: 'ollama' },
  'ollama.embed': { dialect: 'ollama', operation: 'embeddings', provider: 'ollama' },
  'ollama.embeddings': { dialect: 'ollama', operation: 'embeddings', provider: 'ollama' },
  'ollama.generate': { dialect: 'ollama', operation: 'completions', provider: 'ollama' },
  'palm.embedText': { dialect: 'palm', operation: 'embeddings', provider: 'palm' },
  'palm.generateMessage': { dialect: 'palm', operation: 'chat', provider: 'palm' },
  'palm.generateText': { dialect: 'palm', operation: 'chat', provider: 'palm' },
  'replicate.predictions.create': { dialect: 'replicate', operation: 'images', provider: 'replicate' },
  'replicate.predictions.get': { dialect: 'replicate', operation: 'images', provider: 'replicate' },
  'vertex.anthropic': { dialect: 'vertexClaude', operation: 'chat', provider: 'vertex_ai' },
  'vertex.predict': { dialect: 'vertexPredict', operation: 'embeddings', provider: 'vertex_ai' },
  'voyage.embeddings': { dialect: 'openai', operation: 'embeddings', provider: 'voyage' },
  'voyage.multimodalembeddings': { dialect: 'voyageMultimodal', operation: 'embeddings', provider: 'voyage' },
  'watsonx.chat': { dialect: 'watsonx', operation: 'chat', provider: 'watsonx' },
  'watsonx.generation': { dialect: 'watsonx', operation: 'completions', provider: 'watsonx' },
}

// APIs, and single exchanges, that are none of chat, completions, embeddings and images.
const others: Readonly<Record<string, string>> = {
  'anthropic.complete': 'text completed by the API that Anthropic replaced by Messages, which newer models refuse',
  'anthropic.count_tokens': 'tokens counted, which is no operation of this gateway',
  'gemini.interactions':
    'conversations that Google keeps, each turn by the id of the one before it: no chat of messages',
  'gemini-gemini-predict-07ebdd83a696': 'a model of chat, asked for a picture where it is not found',
  'gemini-gemini-predict-484c4eae5fb9': 'a model of chat, asked for a picture where it is not found',
  'gemini-gemini-predict-f2c8a95d4b78': 'a model of chat, asked for a picture where it is not found',
  'maritalk.chat': 'two refusals of a key by an address that its owner replaced by one in the format of OpenAI',
  'mistral.agents': 'an agent that is kept at Mistral and named by its id: no model is asked',
  'mistral.fim': 'code filled in between two texts, at a path beside chat',
  'mistral.ocr': 'text read off a page, which is no operation of this gateway',
  'openai.audio.speech': 'speech, which is no operation of this gateway yet',
  'openai.audio.transcriptions': 'speech written down, which is no operation of this gateway yet',
  'openai.audio.translations': 'speech translated, which is no operation of this gateway yet',
  'openai.images.edits': 'a picture changed, which is no operation of this gateway yet',
  'openai.images.variations': 'a picture varied, which is no operation of this gateway yet',
  'openai.moderations': 'a text judged, which is neither chat nor embeddings nor images',
  'openai.responses.input_tokens': 'tokens counted, which is no operation of this gateway',
  rerank: 'documents put in order, which is no operation of this gateway yet',
  'venice.images': 'a format of its own for pictures, at a provider that is claimed for chat alone',
  'aleph_alpha.embed': 'hidden states of chosen layers, which no embedding of OpenAI is',
  'aleph_alpha.rerank': 'documents put in order, which is no operation of this gateway yet',
  'cohere.v1.chat': 'the first version of the API, which its second replaced',
  'cohere.v1.generate': 'the first version of the API, which Cohere shut down',
  'cohere.v1.rerank': 'documents put in order, which is no operation of this gateway yet',
  'cohere.v2.rerank': 'documents put in order, which is no operation of this gateway yet',
  'gemini.countTokens': 'tokens counted, which is no operation of this gateway',
  'replicate.predictions.stream':
    'the second exchange of a call, on a host of its own; read in the tests of the protocol',
  'aleph_alpha-openai-chat-47b6fa4e9539': 'a chat with a model that has none; the gateway completes text with it',
  'aleph_alpha-openai-chat-e33233243a31': 'a chat with a model that has none; the gateway completes text with it',
  'voyage.rerank': 'documents put in order, which is no operation of this gateway yet',
  'replicate-replicate-predictions-create-327e905507d4': 'a request for speech',
  'replicate-replicate-predictions-create-7c5745b862a5': 'a request for speech',
  'replicate-replicate-predictions-create-e3f115d9f1d0': 'a request for speech',
}

/** The replay of an exchange of these dialects, why it is left out, or undefined where it is one of the others. */
export function furtherReplay(entry: IndexEntry): FurtherReplay | string | undefined {
  const { id, api, provider, model } = entry
  const reason = others[id] ?? others[api]
  if (reason !== undefined) return reason
  const aws = bedrockReplay(entry) ?? sagemakerReplay(entry)
  if (aws !== undefined) return aws
  // Hugging Face routes both to Hyperbolic.
  if (['huggingface', 'hyperbolic'].includes(provider) && api === 'openai.images.generations') {
    return { dialect: 'hyperbolic', operation: 'images', provider: 'hyperbolic' }
  }
  if (provider === 'perplexity' && api === 'openai.embeddings') {
    return { dialect: 'perplexityEmbeddings', operation: 'embeddings', provider }
  }
  if (provider === 'watsonx' && api === 'openai.chat') return { dialect: 'watsonx', operation: 'chat', provider }
  if (api === 'huggingface.inference') return huggingFaceReplay(entry)
  if (provider === 'vertex_ai' && api === 'gemini.embedContent') {
    return { dialect: 'vertexPredict', operation: 'embeddings', provider }
  }
  if (imagenAnswers.includes(id)) return { dialect: 'vertexPredict', operation: 'images', provider }
  const replay = apis[api]
  if (!replay) return undefined
  const isText = api.startsWith('replicate.') && /llama/.test(stringOf(model) ?? '')
  return isText || partPrompts.has(id) || (api === 'aleph_alpha.complete' && entry.features.includes('vision'))
    ? { ...replay, operation: 'chat' }
    : replay
}

// Prompts that hold more than one text or one list of tokens.
const partPrompts = new Set(['aleph_alpha-aleph-alpha-complete-f6a6b075faf3'])
