import { absent, isEmpty, type Equivalence } from '../equivalence.js'
import { anthropicEquivalences } from '../equivalences-anthropic.js'
import { at } from '../exchange.js'

/** A member of Nova's own body under the name that Converse has for it, which Nova takes as well. */
const novaNames: Readonly<Record<string, string>> = { max_new_tokens: 'maxTokens', top_p: 'topP' }

/** Where Bedrock is sent something else than was recorded; see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html */
export const bedrockEquivalences: readonly Equivalence[] = [
  ...anthropicEquivalences,
  absent('a result that is a success', 'it is the default', /\.toolResult\.status$/, (value) => value === 'success'),
  absent('no stop sequences', 'an empty list stops nothing', /\.(?:stopSequences|stop_sequences)$/, isEmpty),
  absent('no system blocks', 'an empty list says nothing', /^\.system$/, isEmpty),
  absent(
    'no settings',
    'an empty object sets nothing',
    /^\.(?:inferenceConfig|additionalModelRequestFields)$/,
    isEmpty,
  ),
  {
    name: 'a constraint in words',
    reason: 'the API answers 400 to it in a schema; the description tells it',
    holds: ({ path, sent }) => sent === undefined && /\.schema\..*\.multipleOf$/.test(path),
  },
  {
    name: 'a tool for the JSON answer',
    reason: 'structured output is documented from Claude 4.5 on; older models are made to call a tool',
    holds: ({ path }, { sent }) =>
      path === '.outputConfig' && at(sent, 'toolConfig', 'toolChoice', 'tool') !== undefined,
  },
  {
    name: "Nova's older names",
    reason: 'maxTokens and topP are the names in its documentation today',
    holds: ({ path, recorded }, { sent }) => {
      const [, name = ''] = /^\.inferenceConfig\.(\w+)$/.exec(path) ?? []
      const today = Object.hasOwn(novaNames, name) ? novaNames[name] : undefined
      return today !== undefined && at(sent, 'inferenceConfig', today) === recorded
    },
  },
  {
    name: 'model and stream in the path',
    reason: 'InvokeModel is told both there',
    holds: ({ path, sent }) => sent === undefined && /^\.(?:model|stream|stream_options)$/.test(path),
  },
  {
    name: 'asked to stream',
    reason: 'Command answers in one piece unless it is told to, whatever the path',
    holds: ({ path, recorded, sent }) => path === '.stream' && recorded === false && sent === true,
  },
  {
    name: 'one of temperature and top_p',
    reason: 'the model refuses both together, as the recorded answer says',
    holds: ({ path, sent }, { exchange, recorded }) =>
      path === '.top_p' &&
      sent === undefined &&
      exchange.response.status >= 400 &&
      recorded['temperature'] !== undefined,
  },
  {
    name: 'a version for nobody',
    reason: 'a model that does not exist is asked in the format of most models',
    holds: ({ path }, { exchange }) => path === '.anthropic_version' && exchange.response.status >= 400,
  },
]
