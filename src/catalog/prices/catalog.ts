import type { ModelInfo, Provider } from '@pydantic/genai-prices'
import { catalogProvider, indexByName, priceNames } from './catalog-names.js'
import { fromCatalog } from './catalog-price.js'
import type { Price } from './price.js'

/** The published prices of the models of many providers. */
export interface PriceCatalog {
  /** The price of exactly this model of a provider of ours; undefined where the catalog has none. */
  find(provider: string, model: string): Price | undefined
}

interface Indexed {
  readonly models: ReadonlyMap<string, ModelInfo>
  /** Whose prices hold for models that are not listed (Azure sells OpenAI's). */
  readonly fallbacks: readonly string[]
}

/** Builds the catalog over a way to find a provider's models; a provider is indexed when it is first asked for. */
export function createCatalog(findProvider: (id: string) => Provider | undefined): PriceCatalog {
  const indexes = new Map<string, Indexed>()
  const indexOf = (id: string): Indexed => {
    const known = indexes.get(id)
    if (known) return known
    const found = findProvider(id)
    // The library also finds providers by parts of a name.
    const provider = found?.id === id ? found : undefined
    const index = {
      models: indexByName(provider?.models ?? []),
      fallbacks: provider?.fallback_model_providers ?? [],
    }
    indexes.set(id, index)
    return index
  }
  return {
    find(provider, model) {
      const id = catalogProvider(provider)
      if (id === undefined) return undefined
      const names = priceNames(provider, model)
      for (const source of [id, ...indexOf(id).fallbacks]) {
        const { models } = indexOf(source)
        const name = names.find((candidate) => models.has(candidate))
        const found = name === undefined ? undefined : models.get(name)
        if (name !== undefined && found) return fromCatalog(found, name)
      }
      return undefined
    },
  }
}

/**
 * Loads the catalog that comes with the package (no network): some 45 ms once per process, which an import of ours must
 * not cost. `import()` is the one way to load it late that works in ESM and CommonJS alike.
 */
export async function loadCatalog(): Promise<PriceCatalog> {
  const { findProvider } = await import('@pydantic/genai-prices')
  return createCatalog((id) => findProvider({ providerId: id }))
}
