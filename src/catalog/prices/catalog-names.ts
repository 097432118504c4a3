import type { MatchLogic, ModelInfo } from '@pydantic/genai-prices'

/** Our providers, by the catalog's name for them. */
const catalogNames: Readonly<Record<string, string>> = {
  anthropic: 'anthropic',
  azure: 'azure',
  azure_ai: 'azure',
  baseten: 'baseten',
  bedrock: 'aws',
  bedrock_mantle: 'aws',
  cerebras: 'cerebras',
  cloudflare: 'cloudflare',
  codestral: 'mistral',
  cohere: 'cohere',
  deepseek: 'deepseek',
  fireworks_ai: 'fireworks',
  gemini: 'google',
  groq: 'groq',
  minimax: 'minimax',
  mistral: 'mistral',
  moonshot: 'moonshotai',
  novita: 'novita',
  openai: 'openai',
  openrouter: 'openrouter',
  ovhcloud: 'ovhcloud',
  perplexity: 'perplexity',
  together_ai: 'together',
  vertex_ai: 'google',
  voyage: 'voyageai',
  xai: 'x-ai',
  zai: 'zai',
}

/** What the catalog calls a provider of ours; undefined where it does not list it. */
export function catalogProvider(provider: string): string | undefined {
  return Object.hasOwn(catalogNames, provider) ? catalogNames[provider] : undefined
}

// Where a path or region before the model's name does not change what it costs.
const pathless = new Set(['bedrock', 'bedrock_mantle', 'gemini', 'vertex_ai', 'azure_ai'])
const amazon = new Set(['bedrock', 'bedrock_mantle'])
const region = /^(?:us-gov|us|eu|apac|jp|au|ca|sa|in)\.(?=.)/
const dated = /-\d{4}-\d{2}-\d{2}$|[-@]\d{8}$|@default$/
// Google numbers the stable versions of a model, which cost alike.
const google = new Set(['gemini', 'vertex_ai'])
const numbered = /-00\d$/

/**
 * The names a price may stand under, nearest first: as given, without path and region, without the organization of a
 * fine-tuned model, and last without the date or number of a snapshot.
 */
export function priceNames(provider: string, model: string): readonly string[] {
  const given = model.toLowerCase()
  const own = pathless.has(provider) ? given.slice(given.lastIndexOf('/') + 1) : given
  const tuned = own.startsWith('ft:') ? [own.split(':', 2).join(':')] : []
  const names = amazon.has(provider) ? amazonNames(own) : [own, ...tuned]
  const revision = google.has(provider) ? numbered : dated
  const shortened = names.map((name) => name.replace(dated, '').replace(revision, ''))
  return [...new Set([given, ...names, ...shortened])]
}

/** Amazon prices a profile of a region as the region; `global.` stays. A first revision is the model itself. */
function amazonNames(own: string): readonly string[] {
  const bare = own.replace(region, '')
  const names = [own, `regional.${bare}`, bare]
  return [...names, ...names.map((name) => name.replace(/-v1(?::0)?$|:0$/, ''))]
}

/** A provider's models by every exact name; patterns count only as the name that they spell, never as patterns. */
export function indexByName(models: readonly ModelInfo[]): ReadonlyMap<string, ModelInfo> {
  const index = new Map<string, ModelInfo>()
  const add = (name: string, model: ModelInfo): void => {
    if (!index.has(name.toLowerCase())) index.set(name.toLowerCase(), model)
  }
  for (const model of models) add(model.id, model)
  for (const model of models) for (const name of namesIn(model.match, 'equals')) add(name, model)
  for (const model of models) for (const name of namesIn(model.match, 'pattern')) add(name, model)
  return index
}

function namesIn(match: MatchLogic, kind: 'equals' | 'pattern'): readonly string[] {
  if ('or' in match) return match.or.flatMap((part) => namesIn(part, kind))
  if (kind === 'equals') return 'equals' in match ? [match.equals] : []
  if ('starts_with' in match) return [match.starts_with]
  if ('ends_with' in match) return [match.ends_with]
  return 'contains' in match ? [match.contains] : firstPattern(match)
}

/** A pattern with exceptions (`and`) still spells one name. */
function firstPattern(match: MatchLogic): readonly string[] {
  return 'and' in match ? match.and.flatMap((part) => namesIn(part, 'pattern')).slice(0, 1) : []
}
