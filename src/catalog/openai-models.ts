import type { ModelCapabilities } from '../deployment.js'

/** What OpenAI's API demands of a chat request to one family of its models. */
export interface OpenAIModelRules {
  /** The only name that the limit of output tokens has there. */
  readonly tokenLimit: 'max_tokens' | 'max_completion_tokens'
  /** The role that instructions go by. */
  readonly instructions: 'as_given' | 'developer'
  /** Parameters refused with any value but the default. */
  readonly refused: readonly string[]
  /** Refused too unless the effort is `none`. */
  readonly refusedWhileReasoning: readonly string[]
  /** The effort where the caller names none. */
  readonly defaultEffort: 'none' | 'medium'
  /** If set, the only parameters that are taken. */
  readonly accepted?: readonly string[] | undefined
  /** Function tools: together with any effort, only without one, or only with an explicit `none`. */
  readonly tools: 'any_effort' | 'no_effort' | 'explicit_none'
}

const chat: OpenAIModelRules = {
  tokenLimit: 'max_tokens',
  instructions: 'as_given',
  refused: [],
  refusedWhileReasoning: [],
  defaultEffort: 'none',
  tools: 'any_effort',
}

const penalties = ['presence_penalty', 'frequency_penalty', 'logit_bias']
const sampling = ['temperature', 'top_p', 'logprobs', 'top_logprobs']

const oSeries: OpenAIModelRules = {
  ...chat,
  tokenLimit: 'max_completion_tokens',
  instructions: 'developer',
  refused: [...sampling, ...penalties],
  defaultEffort: 'medium',
}

const gpt5: OpenAIModelRules = {
  ...oSeries,
  refused: [...sampling, ...penalties, 'stop', 'modalities', 'audio', 'prediction'],
}

// From 5.1 on reasoning can be switched off, and is unless asked for; sampling can then be steered.
const gpt51: OpenAIModelRules = {
  ...gpt5,
  refused: [...penalties, 'stop', 'modalities', 'audio', 'prediction'],
  refusedWhileReasoning: sampling,
  defaultEffort: 'none',
}

const gpt54: OpenAIModelRules = { ...gpt51, tools: 'no_effort' }

const gpt6: OpenAIModelRules = { ...gpt51, defaultEffort: 'medium', tools: 'explicit_none' }

// These two know no effort `none`; what they think of tools on this endpoint is theirs to say.
const gpt6Reasoners: OpenAIModelRules = { ...gpt6, tools: 'any_effort' }

const search: OpenAIModelRules = {
  ...gpt5,
  accepted: [
    'max_completion_tokens',
    'max_tokens',
    'stream_options',
    'web_search_options',
    'response_format',
    'user',
    'store',
    'verbosity',
  ],
}

// First match wins; the last row holds for every newer id. Source: OpenAI's model pages and API errors, 2026-11.
const families: readonly (readonly [RegExp, OpenAIModelRules])[] = [
  [/^gpt-5-chat/, chat],
  [/^gpt-5(?:\.\d+)?-search/, search],
  [/^(?:gpt-3\.5|gpt-4|chatgpt-4|gpt-audio)/, chat],
  [/^o\d/, oSeries],
  [/^gpt-5(?![.\d])/, gpt5],
  [/^gpt-5\.[0-3](?!\d)/, gpt51],
  [/^gpt-5\./, gpt54],
  [/^gpt-(?:6-astra|6\.1-sol)/, gpt6Reasoners],
  [/^gpt-\d/, gpt6],
]

/**
 * The rules of an OpenAI chat model, under what a host says of it; undefined for names that are not OpenAI's (a
 * compatible server behind its own URL).
 */
export function openaiModelRules(model: string, own: ModelCapabilities = {}): OpenAIModelRules | undefined {
  const name = model.startsWith('ft:') ? model.slice(3) : model
  const row = families.find(([pattern]) => pattern.test(name))?.[1]
  if (!row) return undefined
  const rules = withReasoning(row, own)
  return own.refusedParameters ? { ...rules, refused: own.refusedParameters, refusedWhileReasoning: [] } : rules
}

/** Only reasoning models are told their instructions by the developer, and only search models take few parameters. */
export const reasonsAt = ({ instructions, accepted }: OpenAIModelRules): boolean =>
  instructions === 'developer' && !accepted

function withReasoning(row: OpenAIModelRules, { reasoning, reasoningControl }: ModelCapabilities): OpenAIModelRules {
  const reasons = reasoningControl === undefined ? reasoning : reasoningControl !== 'none'
  if (reasons === undefined || reasons === reasonsAt(row)) return row
  if (reasons) return { ...row, ...gpt51, accepted: undefined, defaultEffort: 'medium' }
  return { ...row, instructions: 'as_given', refusedWhileReasoning: [], defaultEffort: 'none', tools: 'any_effort' }
}

const gptImage = ['background', 'moderation', 'n', 'output_compression', 'output_format', 'quality', 'size', 'user']

const imageFamilies: readonly (readonly [RegExp, readonly string[]])[] = [
  [/^dall-e-2/, ['n', 'size', 'quality', 'response_format', 'user']],
  [/^dall-e-3/, ['n', 'size', 'quality', 'response_format', 'user', 'style']],
  [/^(?:chatgpt|gpt)-image/, gptImage],
]

/** The parameters that an OpenAI image model takes; undefined for names that are not OpenAI's. */
export function openaiImageParameters(model: string): readonly string[] | undefined {
  return imageFamilies.find(([pattern]) => pattern.test(model))?.[1]
}
