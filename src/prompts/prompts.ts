import type { DeploymentPrompt } from '../deployment.js'
import { GatewayError, InvalidRequestError } from '../errors.js'
import type { Clock, Logger, Timer } from '../ports.js'
import type { ChatRequest } from '../wire/chat.js'
import { isObject, type JsonObject } from '../wire/json.js'
import { PromptCache } from './prompt-cache.js'
import type { Prompt, PromptReference, PromptStore } from './prompt-store.js'

/** Puts prompts in front of conversations. */
export interface Prompts {
  readonly stores: ReadonlySet<string>
  /**
   * The request with the prompt that it names (`prompt_id`, `prompt_version`, `prompt_label`, `prompt_variables`) or
   * that the defaults name; undefined, at once, where neither does. The prompt's messages come first.
   * @throws InvalidRequestError for a prompt that does not exist, a missing variable, or fields of a wrong type
   * @throws GatewayError unavailable where the store does not answer and nothing is remembered
   */
  apply(request: ChatRequest, defaults?: DeploymentPrompt): Promise<ChatRequest> | undefined
}

/** What prompts run with. */
export interface PromptParts {
  readonly clock: Clock
  readonly logger: Logger
  /** Milliseconds that a store may take. @default 5,000 */
  readonly deadlineMs?: number | undefined
  /** How long a prompt is used before its store is asked again, in milliseconds. @default 60,000 */
  readonly ttlMs?: number
}

/** Builds prompt management over stores by name. */
export function createPrompts(stores: Readonly<Record<string, PromptStore>>, parts: PromptParts): Prompts {
  const names = new Set(Object.keys(stores))
  const cache = new PromptCache(parts.clock, parts.ttlMs ?? 60_000)
  const find = async (store: string, reference: PromptReference): Promise<Prompt> => {
    const from = Object.hasOwn(stores, store) ? stores[store] : undefined
    if (!from) throw new InvalidRequestError('The prompt is in a store that does not exist.', 'prompt_id')
    const prompt = await cache.find(store, reference, () => askStore(from, reference, parts))
    if (prompt) return prompt
    throw new InvalidRequestError('prompt_id, in this version, does not exist.', 'prompt_id')
  }
  return {
    stores: names,
    apply(request, defaults = {}) {
      const id = textOf(request, 'prompt_id') ?? defaults.id
      if (id === undefined) return undefined
      const reference = {
        id,
        version: textOf(request, 'prompt_version') ?? defaults.version,
        label: textOf(request, 'prompt_label') ?? defaults.label,
      }
      const variables = variablesOf(request, defaults)
      const store = defaults.store ?? [...names][0] ?? ''
      return find(store, reference).then((prompt) => withPrompt(request, filled(prompt, variables), defaults))
    },
  }
}

async function askStore(
  store: PromptStore,
  reference: PromptReference,
  { clock, logger, deadlineMs = 5_000 }: PromptParts,
): Promise<Prompt | undefined> {
  const controller = new AbortController()
  let timer: Timer | undefined
  const late = new Promise<never>((_, reject) => {
    timer = clock.setTimeout(() => {
      const error = new Error(`The store of prompts took longer than ${deadlineMs} ms.`)
      controller.abort(error)
      reject(error)
    }, deadlineMs)
  })
  try {
    return await Promise.race([
      late,
      Promise.resolve(controller.signal).then((signal) => store.find(reference, signal)),
    ])
  } catch (error) {
    logger.warn({ error, prompt: reference.id }, 'A prompt could not be fetched.')
    throw new GatewayError('unavailable', 'The prompt could not be fetched.', {
      code: 'prompt_unavailable',
      cause: error,
    })
  } finally {
    timer?.cancel()
  }
}

function textOf(request: JsonObject, name: string): string | undefined {
  const value = request[name]
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  // LiteLLM takes versions as numbers.
  if (name === 'prompt_version' && typeof value === 'number') return String(value)
  throw new InvalidRequestError(`${name} must be text.`, name)
}

function variablesOf(request: JsonObject, { variables = {} }: DeploymentPrompt): JsonObject {
  const own = request['prompt_variables']
  if (own === undefined || own === null) return variables
  if (!isObject(own)) throw new InvalidRequestError('prompt_variables must be an object.', 'prompt_variables')
  return { ...variables, ...own }
}

/** Variables are put in as they are, once: what a variable holds is never read as a template. */
function filled(prompt: Prompt, variables: JsonObject): Prompt {
  const fill = (content: string): string =>
    content.replaceAll(/\{\{\s*([\w.-]{1,100})\s*\}\}/g, (_, name: string) => {
      const value = Object.hasOwn(variables, name) ? variables[name] : undefined
      if (value === undefined || value === null) {
        throw new InvalidRequestError(`prompt_variables needs ${name}.`, 'prompt_variables')
      }
      return typeof value === 'string' ? value : JSON.stringify(value)
    })
  return { ...prompt, messages: prompt.messages.map((message) => ({ ...message, content: fill(message.content) })) }
}

const ownFields: ReadonlySet<string> = new Set([
  'prompt_id',
  'prompt_version',
  'prompt_label',
  'prompt_variables',
  'ignore_prompt_manager_model',
  'ignore_prompt_manager_optional_params',
])

function withPrompt(
  request: ChatRequest,
  { messages, model, parameters }: Prompt,
  defaults: DeploymentPrompt,
): ChatRequest {
  const keepsModel = request['ignore_prompt_manager_model'] ?? defaults.keepsModel
  const keepsParameters = request['ignore_prompt_manager_optional_params'] ?? defaults.keepsParameters
  const own = Object.fromEntries(Object.entries(request).filter(([name]) => !ownFields.has(name)))
  const merged = keepsParameters === true ? { ...parameters, ...own } : { ...own, ...parameters }
  return {
    ...merged,
    model: model !== undefined && keepsModel !== true ? model : request.model,
    messages: [...messages.map((message) => ({ ...message })), ...request.messages],
  }
}
