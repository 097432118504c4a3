import { isDeepStrictEqual } from 'node:util'
import { absent, isEmpty, type Equivalence } from './equivalence.js'

/** Where the Responses API is sent something else than was recorded. */
export const responsesEquivalences: readonly Equivalence[] = [
  {
    name: 'nothing is stored',
    reason: 'the API stores for 30 days unless told otherwise, and a caller of chat did not ask for that',
    holds: ({ path, recorded, sent }) => path === '.store' && recorded === undefined && sent === false,
  },
  {
    name: 'reasoning to be sent back',
    reason: 'an API that stores nothing gives reasoning for the next turn only where it is asked for encrypted',
    holds: ({ path, recorded, sent }) =>
      path === '.include' &&
      isDeepStrictEqual(sent, [...(Array.isArray(recorded) ? recorded : []), 'reasoning.encrypted_content']),
  },
  {
    name: 'tools are strict',
    reason: 'a missing or null strict means true on this API',
    holds: ({ path, recorded, sent }) =>
      /^\.tools\[\d+\]\.strict$/.test(path) && (recorded ?? undefined) === undefined && sent === true,
  },
  {
    name: 'room for 16 tokens',
    reason: 'the API refuses a smaller limit',
    holds: ({ path, recorded, sent }) => path === '.max_output_tokens' && Number(recorded) < 16 && sent === 16,
  },
  {
    name: 'log probabilities by name',
    reason: 'chat asks for them with a switch of its own, which is an entry of include here',
    holds: ({ path, recorded, sent }, comparison) =>
      path === '.include' &&
      recorded === undefined &&
      comparison.recorded['top_logprobs'] !== undefined &&
      isDeepStrictEqual(sent, ['message.output_text.logprobs']),
  },
  absent('no tools', 'an empty list offers nothing', /^\.(?:tools|include)$/, isEmpty),
]
