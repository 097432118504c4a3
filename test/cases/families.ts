import { anthropicCases } from './anthropic.js'
import { bedrockCases } from './bedrock.js'
import { compatibleCases } from './compatible.js'
import { googleCases } from './google.js'
import type { Case } from './lab.js'
import { openaiCases } from './openai.js'
import { vectorCases } from './vectors.js'

/** Every case, by the family of providers that it befalls. */
export const families: Readonly<Record<string, readonly Case[]>> = {
  Anthropic: anthropicCases,
  Google: googleCases,
  Bedrock: bedrockCases,
  OpenAI: openaiCases,
  'look-alikes and the rest': compatibleCases,
  'vectors of dialects': vectorCases,
}
