import { anthropicEquivalences } from './equivalences-anthropic.js'
import { geminiEquivalences } from './equivalences-gemini.js'
import { openAiEquivalences } from './equivalences-openai.js'
import { responsesEquivalences } from './equivalences-responses.js'
import { absent, type Equivalence } from './equivalence.js'
import { furtherDialects } from './further/index.js'
import type { Dialect } from './scope.js'

const common: readonly Equivalence[] = [
  absent('null is absent', 'a null parameter is one that was not set', /./, (value) => value === null),
  absent('stream false is absent', 'false is the default of stream', /^\.stream$/, (value) => value === false),
  {
    name: 'dropped from a request that failed',
    reason: 'reasoning models refuse it; an error has no header that says what was left out',
    holds: ({ path, sent }, { exchange }) =>
      sent === undefined && exchange.response.status >= 400 && /^\.(?:temperature|(?:top_)?logprobs)$/.test(path),
  },
  {
    name: 'reported as dropped',
    reason: 'the row says that the provider cannot honour it, and a header of the reply says that it was left out',
    holds: ({ path, sent }, { dropped }) => sent === undefined && dropped.some((name) => path === `.${name}`),
  },
]

/** The differences between recorded and sent requests that are meant to be; every other one fails the test. */
export const equivalences: { readonly [D in Dialect]: readonly Equivalence[] } = {
  openai: [...common, ...openAiEquivalences],
  anthropic: [...common, ...anthropicEquivalences],
  gemini: [...common, ...geminiEquivalences],
  responses: [...common, ...responsesEquivalences],
  ai21: [...common, ...furtherDialects.ai21.equivalences],
  alephAlpha: [...common, ...furtherDialects.alephAlpha.equivalences],
  bedrock: [...common, ...furtherDialects.bedrock.equivalences],
  bfl: [...common, ...furtherDialects.bfl.equivalences],
  cloudflare: [...common, ...furtherDialects.cloudflare.equivalences],
  fal: [...common, ...furtherDialects.fal.equivalences],
  hyperbolic: [...common, ...furtherDialects.hyperbolic.equivalences],
  imagen: [...common, ...furtherDialects.imagen.equivalences],
  perplexityEmbeddings: [...common, ...furtherDialects.perplexityEmbeddings.equivalences],
  replicate: [...common, ...furtherDialects.replicate.equivalences],
  sagemaker: [...common, ...furtherDialects.sagemaker.equivalences],
  voyageMultimodal: [...common, ...furtherDialects.voyageMultimodal.equivalences],
  cohere: [...common, ...furtherDialects.cohere.equivalences],
  huggingfaceTask: [...common, ...furtherDialects.huggingfaceTask.equivalences],
  ollama: [...common, ...furtherDialects.ollama.equivalences],
  palm: [...common, ...furtherDialects.palm.equivalences],
  tgi: [...common, ...furtherDialects.tgi.equivalences],
  vertexClaude: [...common, ...furtherDialects.vertexClaude.equivalences],
  vertexPredict: [...common, ...furtherDialects.vertexPredict.equivalences],
  watsonx: [...common, ...furtherDialects.watsonx.equivalences],
}
