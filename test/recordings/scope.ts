import type { Operation } from '../../src/wire/operations.js'
import type { IndexEntry } from './exchange.js'

/** The dialects whose requests and replies are replayed. */
export type Dialect = 'openai' | 'anthropic' | 'gemini'

/** How an exchange is replayed. */
export interface Replay {
  readonly dialect: Dialect
  readonly operation: Operation
  /** Name of the provider at Sluice. */
  readonly provider: string
}

const apis: Readonly<Record<string, Pick<Replay, 'dialect' | 'operation'>>> = {
  'openai.chat': { dialect: 'openai', operation: 'chat' },
  'openai.completions': { dialect: 'openai', operation: 'completions' },
  'openai.embeddings': { dialect: 'openai', operation: 'embeddings' },
  'openai.images.generations': { dialect: 'openai', operation: 'images' },
  'anthropic.messages': { dialect: 'anthropic', operation: 'chat' },
  'gemini.generateContent': { dialect: 'gemini', operation: 'chat' },
  'gemini.embedContent': { dialect: 'gemini', operation: 'embeddings' },
}

// What the recordings call a provider and Sluice calls otherwise.
const names: Readonly<Record<string, string>> = {
  vllm: 'hosted_vllm',
  venice: 'veniceai',
}

/**
 * Providers whose own rows a later issue builds, but whose recorded exchanges are of a dialect that exists: replayed as
 * what they are, a server of that dialect at an address of the host's own.
 */
const sameDialect: Readonly<Record<string, string>> = {
  'gemini.generateContent': 'gemini',
  'gemini.embedContent': 'gemini',
}

/** The replay of an exchange, or why it is left out. `rows` tells whether Sluice has a provider of that name. */
export function replayOf(entry: IndexEntry, rows: (provider: string) => boolean): Replay | string {
  const api = apis[entry.api]
  if (!api) return `${entry.api} is built by a later issue`
  const provider = sameDialect[entry.api] ?? names[entry.provider] ?? entry.provider
  if (api.dialect === 'anthropic' && provider !== 'anthropic') {
    return `${entry.provider}'s Anthropic surface is built by a later issue`
  }
  return rows(provider) ? { ...api, provider } : `the provider ${provider} is built by a later issue`
}
