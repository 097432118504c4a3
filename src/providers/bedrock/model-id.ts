import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import { stringOf } from '../../wire/json.js'
import { isAwsRegion } from '../aws/region.js'

/** The body that a model's own API takes, where it is not asked through Converse. */
export type InvokeBody =
  | 'claude'
  | 'claude_text'
  | 'command'
  | 'command_r'
  | 'deepseek'
  | 'jurassic'
  | 'llama'
  | 'mistral'
  | 'nova'
  | 'openai'
  | 'titan'

/** A model on Bedrock, as a deployment names it. */
export interface BedrockModelId {
  /** What the API is asked for: an id, an inference profile, an ARN. */
  readonly id: string
  /** The model behind it, for rules: differs where an ARN does not tell (`info.base_model`). */
  readonly base: string
  /** The region that the name holds. */
  readonly region: string | undefined
  /** Undefined for Converse. */
  readonly body: InvokeBody | undefined
}

interface Prefix {
  readonly route: 'converse' | 'invoke'
  readonly body?: InvokeBody
}

// LiteLLM's routing prefixes (docs/providers/bedrock).
const prefixes: Readonly<Record<string, Prefix>> = {
  converse: { route: 'converse' },
  converse_like: { route: 'converse' },
  deepseek_r1: { route: 'invoke', body: 'deepseek' },
  invoke: { route: 'invoke' },
  llama: { route: 'invoke', body: 'llama' },
  moonshot: { route: 'invoke', body: 'openai' },
  nova: { route: 'converse' },
  'nova-2': { route: 'converse' },
  openai: { route: 'invoke', body: 'openai' },
  qwen2: { route: 'invoke', body: 'openai' },
  qwen3: { route: 'invoke', body: 'openai' },
  stability: { route: 'converse' },
}

const unsupported = ['agent', 'agentcore', 'async_invoke']

// The first match wins; other models speak OpenAI's format.
const bodies: readonly (readonly [RegExp, InvokeBody])[] = [
  [/claude-(?:v?2|v1|instant)/, 'claude_text'],
  [/claude|anthropic/, 'claude'],
  [/nova/, 'nova'],
  [/titan/, 'titan'],
  [/llama/, 'llama'],
  [/mistral-7b|mixtral|mistral-large-2402|mistral-small-2402/, 'mistral'],
  [/command-r/, 'command_r'],
  [/command/, 'command'],
  [/j2-/, 'jurassic'],
  [/deepseek.?r1/, 'deepseek'],
]

/** The body of a model's own API. */
function invokeBodyOf(base: string): InvokeBody {
  const name = base.toLowerCase()
  return bodies.find(([pattern]) => pattern.test(name))?.[1] ?? 'openai'
}

/** The region in `arn:aws:bedrock:<region>:…`. */
function regionOfArn(id: string): string | undefined {
  const region = /^arn:aws[\w-]*:\w+:([^:]*):/.exec(id)?.[1]
  return region !== undefined && isAwsRegion(region) ? region : undefined
}

/**
 * Takes a model's name apart: routing prefixes and a region come before the id (`invoke/eu-west-1/anthropic.claude-…`).
 * @throws InvalidRequestError for a route that is not offered
 */
export function readBedrockModel({ model, info }: Pick<Deployment, 'model' | 'info'>): BedrockModelId {
  let id = model
  let region: string | undefined
  let prefix: Prefix = { route: 'converse' }
  for (let slash = id.indexOf('/'); slash !== -1 && !id.startsWith('arn:'); slash = id.indexOf('/')) {
    const segment = id.slice(0, slash)
    const known = Object.hasOwn(prefixes, segment) ? prefixes[segment] : undefined
    if (unsupported.includes(segment)) {
      throw new InvalidRequestError(`bedrock/${segment}/ is not offered: it is no chat, embeddings or images.`, 'model')
    }
    if (known) prefix = known
    else if (isAwsRegion(segment)) region = segment
    else if (segment !== 'bedrock') break
    id = id.slice(slash + 1)
  }
  const base = stringOf(info['base_model'])?.replace(/^bedrock\//, '') ?? id
  const body = prefix.route === 'invoke' ? (prefix.body ?? invokeBodyOf(base)) : undefined
  return { id, base, region: region ?? regionOfArn(id), body }
}
