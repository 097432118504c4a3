import { isDeepStrictEqual } from 'node:util'
import { absent, isEmpty, type Equivalence } from './equivalence.js'
import type { JsonObject } from '../../src/wire/json.js'
import { at, objectsIn, textOf } from './exchange.js'

/** Where generateContent is sent something else than was recorded; see https://ai.google.dev/api/generate-content */
export const geminiEquivalences: readonly Equivalence[] = [
  absent(
    'no stop sequences',
    'an empty list stops nothing',
    /^\.generationConfig(?:\.stopSequences)?$/,
    (value) => isEmpty(value) || isDeepStrictEqual(value, { stopSequences: [] }),
  ),
  absent(
    'plain text',
    'it is the default of responseMimeType',
    /^\.generationConfig(?:\.responseMimeType)?$/,
    (value) => isDeepStrictEqual(value, 'text/plain') || isDeepStrictEqual(value, { responseMimeType: 'text/plain' }),
  ),
  absent(
    'text as the only kind of answer',
    'it is the default',
    /\.responseModalities$|^\.generationConfig$/,
    (value) => [['TEXT'], { responseModalities: ['TEXT'] }].some((plain) => isDeepStrictEqual(value, plain)),
  ),
  absent('thinking is off', 'the model does not think and does not know the switch', /\.thinkingConfig$/, (value) =>
    isDeepStrictEqual(value, { thinkingBudget: 0 }),
  ),
  absent(
    'a stand-in for a signature',
    'it is sent only to models that demand a signature',
    /\.thoughtSignature$/,
    (value) => value === 'skip_thought_signature_validator',
  ),
  {
    name: 'ids of calls stay at home',
    reason: 'Vertex AI pairs calls and results by name and order, and does not document ids',
    holds: ({ path, sent }, { replay }) =>
      replay.provider === 'vertex_ai' && sent === undefined && /\.function(?:Call|Response)\.id$/.test(path),
  },
  {
    name: 'a choice among no tools',
    reason: 'without tools there is nothing to choose',
    holds: ({ path, sent }, body) =>
      path === '.toolConfig' && sent === undefined && body.recorded['tools'] === undefined,
  },
  {
    name: 'every tool allowed',
    reason: 'a list of all tools leaves none out',
    holds: ({ path, recorded, sent }, body) =>
      path === '.toolConfig.functionCallingConfig.allowedFunctionNames' &&
      sent === undefined &&
      isDeepStrictEqual(recorded, functionNames(body.recorded)),
  },
  {
    name: 'thoughts are asked for',
    reason: 'OpenAI has no word for hiding the thoughts of a model that thinks',
    holds: ({ path, recorded, sent }) => path.endsWith('.includeThoughts') && recorded === false && sent === true,
  },
  {
    name: 'media types without parameters',
    reason: 'the API looks at type and subtype alone',
    holds: ({ path, recorded, sent }) => path.endsWith('.mimeType') && textOf(recorded).split(';')[0] === sent,
  },
  {
    name: 'a signature without thoughts',
    reason: 'an empty thought is only the carrier of its signature, which goes on the text that follows',
    holds: ({ path, recorded, sent }) =>
      /^\.contents\[\d+\]\.parts$/.test(path) &&
      at(recorded, 0, 'thought') === true &&
      at(recorded, 0, 'text') === undefined &&
      at(recorded, 1, 'text') === at(sent, 0, 'text') &&
      at(recorded, 0, 'thoughtSignature') === at(sent, 0, 'thoughtSignature'),
  },
  {
    name: 'enums in either case',
    reason: 'the API reads its enums in any case',
    holds: ({ path, recorded, sent }) =>
      /\.(?:responseModalities\[\d+\]|thinkingLevel)$/.test(path) &&
      textOf(recorded).toLowerCase() === textOf(sent).toLowerCase(),
  },
  {
    name: 'a level instead of a budget',
    reason: 'Gemini 3 measures thinking in levels: https://ai.google.dev/gemini-api/docs/thinking',
    holds: ({ path, sent }, body) =>
      path === '.generationConfig.thinkingConfig.thinkingBudget' &&
      sent === undefined &&
      at(body.sent, 'generationConfig', 'thinkingConfig', 'thinkingLevel') !== undefined,
  },
]

function functionNames(body: JsonObject): readonly unknown[] {
  return objectsIn(body['tools']).flatMap((tool) => objectsIn(tool['functionDeclarations']).map(({ name }) => name))
}
