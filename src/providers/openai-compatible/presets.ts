import type { Quirks } from '../../protocols/openai/quirks.js'
import type { Capability } from './row.js'

/** Chat, whole and streamed: what most providers do. */
export const chat: readonly Capability[] = ['chat', 'stream']

/** Chat and text completions. */
export const chatAndCompletions: readonly Capability[] = ['chat', 'stream', 'completions']

/** Chat and embeddings. */
export const chatAndEmbeddings: readonly Capability[] = ['chat', 'stream', 'embeddings']

/** Chat and images. */
export const chatAndImages: readonly Capability[] = ['chat', 'stream', 'images']

/** Chat, embeddings and images. */
export const chatEmbeddingsImages: readonly Capability[] = ['chat', 'stream', 'embeddings', 'images']

/** Chat, text completions and embeddings. */
export const allText: readonly Capability[] = ['chat', 'stream', 'completions', 'embeddings']

/** Every operation. */
export const everything: readonly Capability[] = ['chat', 'stream', 'completions', 'embeddings', 'images']

/** The token limit goes by its older name. */
export const maxTokens = { rename: { max_completion_tokens: 'max_tokens' } } as const satisfies Quirks

/** Only floats come back; base64 is made by us, since the openai SDK asks for it by default. */
export const floats = { embeddings: { base64: false } } as const satisfies Quirks

/** All parameters of tool use, for providers that take none. */
export const toolParameters = ['tools', 'tool_choice', 'parallel_tool_calls', 'functions', 'function_call'] as const

/** Parameters of images that only OpenAI's own image models know. */
export const openaiImageParameters = [
  'background',
  'input_fidelity',
  'moderation',
  'output_compression',
  'partial_images',
] as const
