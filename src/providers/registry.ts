import { providerOfBareModel } from '../catalog/bare-models.js'
import { InvalidRequestError } from '../errors.js'
import { openaiProtocol } from '../protocols/openai/index.js'
import { anthropic } from './anthropic.js'
import { createBedrock } from './bedrock/index.js'
import { cohere } from './cohere.js'
import { furtherProviders } from './further.js'
import { gemini } from './gemini.js'
import { huggingface } from './huggingface/index.js'
import { ollama } from './ollama.js'
import { azure } from './azure/index.js'
import { azureAi } from './azure/foundry.js'
import { perplexity } from './perplexity/index.js'
import { databricks } from './databricks/index.js'
import { snowflake } from './snowflake/index.js'
import { createOpenaiCompatibleProviders } from './openai-compatible/index.js'
import { palm } from './palm.js'
import type { Provider } from './provider.js'
import { createSageMakerProviders } from './sagemaker/index.js'
import { vertexAi } from './vertex-ai/index.js'

/** A provider, and what it calls the model. */
export interface ResolvedModel {
  readonly provider: Provider
  /** Without our prefix; `*` for a wildcard. */
  readonly model: string
}

/** Every provider that a gateway knows, by name and alias. */
export interface Registry {
  /** By name or alias. */
  get(name: string): Provider | undefined
  /** Every provider once: the host's own first, then the built-in ones that they do not replace. */
  list(): readonly Provider[]
  /**
   * The provider that a model's first path segment names, or, for a bare well-known name, its maker; undefined where
   * neither is known.
   * @throws InvalidRequestError for a prefix without a model
   */
  resolve(model: string): ResolvedModel | undefined
}

/**
 * The registry of the built-in providers and a host's own ones, which win over built-in ones of the same name or alias.
 * @throws InvalidRequestError where two of the host's share a name or alias
 */
export function createRegistry(custom: readonly Provider[]): Registry {
  const own = index(custom)
  const builtIn = [
    ...createOpenaiCompatibleProviders(openaiProtocol),
    anthropic,
    gemini,
    ollama,
    cohere,
    vertexAi,
    ...furtherProviders,
    huggingface,
    palm,
    createBedrock(),
    ...createSageMakerProviders(),
    azure,
    azureAi,
    perplexity,
    databricks,
    snowflake,
  ]
  const kept = builtIn.filter(({ name }) => !own.has(name))
  const all: ReadonlyMap<string, Provider> = new Map([...namesOf(kept), ...own])
  const listed: readonly Provider[] = [...custom, ...kept]

  const resolve = (model: string): ResolvedModel | undefined => {
    const slash = model.indexOf('/')
    const prefix = slash === -1 ? undefined : model.slice(0, slash)
    const name = prefix ?? providerOfBareModel(model)
    if (name === undefined) return undefined
    const provider = all.get(name)
    if (!provider) return undefined
    const rest = prefix === undefined ? model : model.slice(slash + 1)
    if (rest === '') throw new InvalidRequestError(`The model "${model}" names a provider but no model.`, 'model')
    return { provider, model: rest }
  }
  return { get: (name) => all.get(name), list: () => listed, resolve }
}

function index(custom: readonly Provider[]): ReadonlyMap<string, Provider> {
  const own = new Map<string, Provider>()
  for (const [name, provider] of namesOf(custom)) {
    if (own.has(name)) throw new InvalidRequestError(`Two providers are called "${name}".`, 'providers')
    own.set(name, provider)
  }
  return own
}

/** Names come after aliases, so that they win where a built-in alias is another's name. */
function namesOf(providers: readonly Provider[]): readonly (readonly [string, Provider])[] {
  return [
    ...providers.flatMap((provider) => provider.aliases.map((alias) => [alias, provider] as const)),
    ...providers.map((provider) => [provider.name, provider] as const),
  ]
}
