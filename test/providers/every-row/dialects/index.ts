import { anthropicDialect } from '../../../../src/testing/dialects/anthropic.js'
import type { Dialect } from '../../../../src/testing/dialects/dialect.js'
import { geminiDialect } from '../../../../src/testing/dialects/gemini.js'
import { openaiDialect } from '../../../../src/testing/dialects/openai.js'
import { bedrock, sagemaker, sagemakerChat } from './aws.js'
import { cohere } from './cohere.js'
import { bfl, fal, fireworks, huggingface, snowflake, stability, vertexPredict } from './media.js'
import { ollama } from './ollama.js'
import {
  alephAlpha,
  cloudflare,
  mistral,
  nlpCloud,
  oci,
  oidc,
  palm,
  petals,
  predibase,
  replicate,
  watsonx,
} from './text.js'

/** The dialect below any path: providers put OpenAI's, Anthropic's and Google's paths behind prefixes of their own. */
function anywhere(dialect: Dialect, start: string): Dialect {
  const routes = dialect.routes.map((route) => {
    const { source } = route.pattern
    if (!source.startsWith(start)) throw new Error(`${dialect.name} has a path of another form: ${source}`)
    return { ...route, pattern: new RegExp(`^(?:/.*)?${source.slice(start.length)}`) }
  })
  return { ...dialect, routes }
}

/** Every dialect that a row speaks; own ones first, since OpenAI's paths end like many others. */
export const dialects: readonly Dialect[] = [
  cohere,
  ollama,
  bedrock,
  sagemaker,
  sagemakerChat,
  alephAlpha,
  nlpCloud,
  petals,
  palm,
  watsonx,
  oci,
  oidc,
  mistral,
  predibase,
  replicate,
  cloudflare,
  stability,
  bfl,
  fal,
  fireworks,
  huggingface,
  snowflake,
  vertexPredict,
  anywhere(geminiDialect, '^\\/(?:v1beta|v1)'),
  anywhere(anthropicDialect, '^(?:\\/v1)?'),
  anywhere(openaiDialect([]), '^(?:\\/v1)?'),
]
