import { isDeepStrictEqual } from 'node:util'
import { absent, isEmpty, type Comparison, type Equivalence } from './equivalence.js'
import { at, objectsIn, textOf } from './exchange.js'

const reasoningPaths = /^\.(?:reasoning_effort|reasoning|thinking)$/

/** Where OpenAI-compatible providers are sent something else than was recorded. */
export const openAiEquivalences: readonly Equivalence[] = [
  {
    name: 'usage is always asked for',
    reason: 'a stream is billed, so its usage is asked for whether or not the client wants to see it',
    holds: ({ path, recorded, sent }) =>
      (path === '.stream_options' && recorded === undefined && isDeepStrictEqual(sent, { include_usage: true })) ||
      (path === '.stream_options.include_usage' && recorded !== true && sent === true),
  },
  {
    name: 'OpenRouter counts cost when asked',
    reason: 'usage accounting brings the price that was billed: https://openrouter.ai/docs/use-cases/usage-accounting',
    holds: ({ path, recorded, sent }, { replay }) =>
      replay.provider === 'openrouter' &&
      path === '.usage' &&
      recorded === undefined &&
      isDeepStrictEqual(sent, { include: true }),
  },
  {
    name: 'stream_options without a stream',
    reason: 'OpenAI refuses stream_options where nothing is streamed',
    holds: ({ path, sent }, { recorded }) =>
      path === '.stream_options' && sent === undefined && recorded['stream'] !== true,
  },
  absent('one choice is the default', 'n is 1 where it is not set', /^\.n$/, (value) => value === 1),
  absent('temperature 1 is the default', 'reasoning models refuse the parameter itself', /^\.temperature$/, isOne),
  {
    name: 'a model that the recording does not name',
    reason: 'servers with one model need no name; the gateway always sends the one of its deployment',
    holds: ({ path, recorded }) => path === '.model' && (recorded ?? undefined) === undefined,
  },
  {
    name: "OpenRouter's own models",
    reason: 'a name without a maker is one of its own, which it spells with its prefix',
    holds: ({ path, recorded, sent }) => path === '.model' && sent === `openrouter/${textOf(recorded)}`,
  },
  {
    name: 'the token limit by its other name',
    reason: 'older servers know max_tokens only, reasoning models of OpenAI max_completion_tokens only',
    holds: ({ path }, { recorded, sent }) =>
      /^\.max_(?:completion_)?tokens$/.test(path) && limit(recorded) === limit(sent),
  },
  {
    name: 'instructions by the role that the model knows',
    reason: 'reasoning models of OpenAI call the role developer, other servers system',
    holds: ({ path, recorded, sent }) =>
      /^\.messages\[\d+\]\.role$/.test(path) &&
      recorded !== sent &&
      [recorded, sent].every((role) => role === 'developer' || role === 'system'),
  },
  {
    name: 'text parts are one string',
    reason: 'providers that take only strings get the texts joined; one text part and a string mean the same',
    holds: ({ path, recorded, sent }) =>
      /^\.messages\[\d+\]\.content$/.test(path) && joined(recorded) !== undefined && joined(recorded) === joined(sent),
  },
  {
    name: 'image addresses in an object',
    reason: "a bare string is what some clients send; OpenAI's form is an object",
    holds: ({ path, recorded, sent }) => path.endsWith('.image_url') && isDeepStrictEqual(sent, { url: recorded }),
  },
  absent(
    'cache_control stays at home',
    'providers that do not know the marker refuse it; OpenRouter is sent it inside the last part',
    /\.cache_control$/,
    () => true,
  ),
  absent(
    'reasoning_content stays at home',
    'it is sent back only to providers whose documentation wants it back; others refuse or bill it',
    /^\.messages\[\d+\]\.reasoning_content$/,
    (value) => typeof value === 'string',
  ),
  {
    name: 'DeepSeek wants reasoning_content on every turn',
    reason: 'without it the API answers 400 in thinking mode; an empty one stands for none',
    holds: ({ path, recorded, sent }, { replay }) =>
      replay.provider === 'deepseek' && path.endsWith('.reasoning_content') && recorded === undefined && sent === '',
  },
  {
    name: "reasoning_effort in the provider's own words",
    reason: 'OpenRouter takes reasoning.effort; Z.AI and DeepSeek switch thinking on, and DeepSeek knows fewer levels',
    holds: ({ path }, comparison) => reasoningPaths.test(path) && saysEffort(comparison),
  },
  absent('names of messages', 'Groq and xAI refuse `name`', /^\.messages\[\d+\]\.name$/, isString),
  absent(
    'strict tools',
    'servers that do not know `strict` refuse it',
    /^\.tools\[\d+\]\.function\.strict$/,
    isBoolean,
  ),
  absent(
    'schema words that a server refuses',
    'Mistral and vLLM refuse them in the parameters of a tool',
    /^\.tools\[\d+\]\.function\.parameters(?:\..+)?\.(?:additionalProperties|\$schema)$/,
    () => true,
  ),
  {
    name: 'any tool',
    reason: "Mistral's word for a required tool call",
    holds: ({ path, recorded, sent }) => path === '.tool_choice' && recorded === 'required' && sent === 'any',
  },
  {
    name: 'short tool call ids',
    reason: 'Mistral takes ids of nine letters and digits',
    holds: ({ path, sent }, { replay }) =>
      replay.provider === 'mistral' && /(?:\]\.id|\.tool_call_id)$/.test(path) && /^[A-Za-z0-9]{9}$/.test(textOf(sent)),
  },
  absent('the index of a past tool call', 'Mistral refuses it in a request', /\.tool_calls\[\d+\]\.index$/, () => true),
  {
    name: 'vectors as floats',
    reason: 'floats are the default, and base64 is made of them where the provider does not give it',
    holds: ({ path, sent }) => path === '.encoding_format' && sent === undefined,
  },
  {
    name: 'a tool in place of a schema',
    reason: 'the provider refuses the schema in the recorded reply; its models answer by a tool instead',
    holds: ({ path }, { exchange, sent }) =>
      exchange.response.status === 400 &&
      /^\.(?:response_format|tools|tool_choice)$/.test(path) &&
      at(sent, 'tools', 0, 'function', 'name') === 'json_tool_call',
  },
]

function isOne(value: unknown): boolean {
  return value === 1
}

function isString(value: unknown): boolean {
  return typeof value === 'string'
}

function isBoolean(value: unknown): boolean {
  return typeof value === 'boolean'
}

function limit(body: Comparison['recorded']): unknown {
  return body['max_completion_tokens'] ?? body['max_tokens']
}

/** Content that is text alone, as one string. */
function joined(content: unknown): string | undefined {
  if (typeof content === 'string') return content
  if (!Array.isArray(content) || (isEmpty(content) ? false : objectsIn(content).some(({ type }) => type !== 'text'))) {
    return undefined
  }
  return objectsIn(content)
    .map((part) => textOf(part['text']))
    .join('')
}

function saysEffort({ replay, recorded, sent }: Comparison): boolean {
  const effort = recorded['reasoning_effort']
  if (effort === undefined) return false
  if (replay.provider === 'openrouter') return at(sent, 'reasoning', 'effort') === effort
  if (!['zai', 'deepseek'].includes(replay.provider)) return false
  return at(sent, 'thinking', 'type') === 'enabled'
}
