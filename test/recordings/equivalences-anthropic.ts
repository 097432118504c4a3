import { isDeepStrictEqual } from 'node:util'
import { absent, isEmpty, type Equivalence } from './equivalence.js'
import { at, objectsIn } from './exchange.js'

const isFalse = (value: unknown) => value === false

/** Where the Messages API is sent something else than was recorded; see https://platform.claude.com/docs/en/api/messages */
export const anthropicEquivalences: readonly Equivalence[] = [
  {
    name: 'text as one part',
    reason: 'a string is shorthand for one text block',
    holds: ({ path, recorded, sent }) =>
      /content$|^\.system$/.test(path) && isDeepStrictEqual(asPart(recorded), asPart(sent)),
  },
  {
    name: 'neighbours of one role',
    reason: 'the API joins them into one turn itself',
    holds: ({ path, recorded, sent }) => path === '.messages' && isDeepStrictEqual(joined(recorded), joined(sent)),
  },
  absent('no error', 'is_error is false where it is not set', /\.is_error$/, isFalse),
  absent('a tool that the model called itself', 'direct is the default caller', /\.caller$/, (value) =>
    isDeepStrictEqual(value, { type: 'direct' }),
  ),
  absent('no tools', 'an empty list offers nothing', /^\.tools$/, isEmpty),
  absent('no description', 'an empty one says nothing', /^\.tools\[\d+\]\.description$/, isEmpty),
  absent('tools are not strict', 'strict is false where it is not set', /^\.tools\[\d+\]\.strict$/, isFalse),
  absent('tools in parallel', 'allowed where it is not forbidden', /\.disable_parallel_tool_use$/, isFalse),
  absent(
    'temperature 1',
    'it is the default, and the only value beside thinking',
    /^\.temperature$/,
    (value) => value === 1,
  ),
  absent(
    'high effort',
    'it is the default',
    /^\.output_config(?:\.effort)?$/,
    (value) => isDeepStrictEqual(value, 'high') || isDeepStrictEqual(value, { effort: 'high' }),
  ),
  absent("a schema's dialect", 'structured outputs know one dialect only', /\.schema\.\$schema$/, () => true),
  {
    name: 'output_config.format',
    reason: 'the final name of what the beta called output_format, with the schema brought to what the API takes',
    holds: ({ path }, { sent }) =>
      path === '.output_format' && at(sent, 'output_config', 'format', 'type') === 'json_schema',
  },
  absent('thinking is off', 'models before 3.7 do not think and do not know the switch', /^\.thinking$/, (value) =>
    isDeepStrictEqual(value, { type: 'disabled' }),
  ),
  {
    name: 'a budget below max_tokens',
    reason: 'the API refuses a budget that is not below max_tokens',
    holds: ({ path, recorded, sent }, body) =>
      path === '.thinking.budget_tokens' &&
      Number(recorded) >= Number(body.recorded['max_tokens']) &&
      Number(sent) >= 1024,
  },
  {
    name: 'a forced tool instead of thinking',
    reason: 'the API answers 400: thinking may not be enabled when tool_choice forces tool use',
    holds: ({ path }, { recorded, sent }) =>
      path.startsWith('.thinking') &&
      ['any', 'tool'].includes(String(at(recorded, 'tool_choice', 'type'))) &&
      at(sent, 'thinking', 'type') === 'disabled',
  },
]

function asPart(content: unknown): unknown {
  return typeof content === 'string' ? [{ type: 'text', text: content }] : content
}

function joined(messages: unknown): unknown {
  const turns: { role: unknown; content: unknown[] }[] = []
  for (const { role, content } of objectsIn(messages)) {
    const last = turns.at(-1)
    const blocks = asPart(content)
    const list: readonly unknown[] = Array.isArray(blocks) ? blocks : []
    if (last && last.role === role) last.content.push(...list)
    else turns.push({ role, content: [...list] })
  }
  return turns
}
