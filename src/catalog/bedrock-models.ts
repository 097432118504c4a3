import type { ModelCapabilities } from '../deployment.js'

/** How a model on Bedrock is made to think. */
type BedrockReasoning = 'claude' | 'nova' | 'reasoning_effort' | 'reasoning_config' | 'none'

/** What a family of models on Bedrock's Converse accepts; where it differs, a request must be written differently. */
export interface BedrockModel {
  readonly tools: boolean
  /** Choices that oblige the model to call: any, only "some tool", or neither. */
  readonly forcedTool: 'tool' | 'any' | 'none'
  readonly system: boolean
  /** `outputConfig.textFormat` exists; undefined where the generation of Claude decides. */
  readonly jsonSchema: boolean | undefined
  /** Where cache points are accepted. */
  readonly cachePoints: 'everywhere' | 'content' | 'none'
  readonly reasoning: BedrockReasoning
  /** The name of `top_k` among the additional fields; a path where it stands deeper; undefined where there is none. */
  readonly topK: readonly string[] | undefined
}

interface Row extends BedrockModel {
  readonly pattern: RegExp
}

const newest = {
  tools: true,
  forcedTool: 'tool',
  system: true,
  jsonSchema: true,
  cachePoints: 'none',
  reasoning: 'none',
  topK: ['top_k'],
} as const satisfies BedrockModel

const claude = { ...newest, jsonSchema: undefined, cachePoints: 'everywhere', reasoning: 'claude' } as const
const olderClaude = { ...claude, jsonSchema: false, cachePoints: 'none' } as const
const nova = { ...newest, jsonSchema: false, cachePoints: 'content', topK: ['inferenceConfig', 'topK'] } as const
const llama = { ...newest, forcedTool: 'none', jsonSchema: false, topK: undefined } as const
const textOnly = { ...newest, tools: false, jsonSchema: false } as const

// The first match wins. Sources: https://docs.aws.amazon.com/bedrock/latest/userguide/conversation-inference-supported-models-features.html
// and the pages on structured output and prompt caching.
const rows: readonly Row[] = [
  { pattern: /claude-(?:v?2|v1|instant)/, ...olderClaude, tools: false },
  { pattern: /claude-3-(?:sonnet|opus|haiku)|claude-3-5-sonnet-20240620/, ...olderClaude },
  { pattern: /opus-4-1(?!\d)/, ...claude, jsonSchema: false },
  { pattern: /claude|opus|sonnet|haiku|fable|mythos/, ...claude },
  { pattern: /nova-(?:2|premier-2|pro-2)/, ...nova, reasoning: 'nova' },
  { pattern: /nova/, ...nova },
  { pattern: /titan/, ...textOnly, system: false, topK: undefined },
  { pattern: /llama-?2|llama-?3(?!-?\.?\d)|llama3-(?:8b|70b)/, ...llama, tools: false },
  { pattern: /llama/, ...llama },
  { pattern: /mistral-7b|mixtral/, ...textOnly, system: false },
  { pattern: /mistral-(?:large-2|small-2)|pixtral/, ...newest, forcedTool: 'any', jsonSchema: false },
  { pattern: /mistral|magistral|ministral|voxtral|devstral/, ...newest, forcedTool: 'any' },
  { pattern: /command-r/, ...newest, forcedTool: 'none', jsonSchema: false, topK: ['k'] },
  { pattern: /command/, ...textOnly, system: false, topK: ['k'] },
  { pattern: /j2-|jamba-instruct/, ...textOnly, system: false, topK: undefined },
  { pattern: /jamba/, ...newest, forcedTool: 'none', jsonSchema: false, topK: undefined },
  { pattern: /deepseek.?r1/, ...textOnly, topK: undefined },
  { pattern: /qwen3/, ...newest, reasoning: 'reasoning_config' },
  { pattern: /gpt-oss/, ...newest, reasoning: 'reasoning_effort', topK: undefined },
]

/**
 * The rules for a model id, an inference profile's (`us.…`) or an ARN that names the model, under what a host says of it;
 * unknown ones are taken to be newer than this table.
 */
export function bedrockModel(id: string, own: ModelCapabilities = {}): BedrockModel {
  const name = id.toLowerCase()
  const row: BedrockModel = rows.find(({ pattern }) => pattern.test(name)) ?? newest
  const { forcedTool, system, cachePoints, topK } = row
  const { tools = row.tools, jsonSchema = row.jsonSchema } = own
  return { tools, forcedTool, system, jsonSchema, cachePoints, reasoning: reasoningOf(row, own), topK }
}

/** How Claude thinks is the business of its own rules. */
function reasoningOf({ reasoning: known }: BedrockModel, { reasoning, reasoningControl }: ModelCapabilities) {
  const reasons = reasoningControl === undefined ? reasoning : reasoningControl !== 'none'
  if (known === 'claude' || reasons === undefined || reasons === (known !== 'none')) return known
  return reasons ? 'reasoning_effort' : 'none'
}
