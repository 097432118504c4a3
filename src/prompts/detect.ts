import type { DeploymentPrompt } from '../deployment.js'
import { InvalidRequestError } from '../errors.js'
import { type JsonObject, isObject } from '../wire/json.js'

/** A deployment whose model names a prompt manager. */
export interface ManagedModel {
  /** Name of the store, such as `langfuse`. */
  readonly store: string
  /** What follows it. */
  readonly model: string
}

/**
 * Reads `langfuse/gpt-4o` as the store `langfuse` and the model `gpt-4o`; undefined where the part before the first
 * slash is no store. Decided when models are loaded, by the deployment's model and never by what the caller calls it.
 */
export function detectPromptStore(model: string, stores: ReadonlySet<string>): ManagedModel | undefined {
  const slash = model.indexOf('/')
  const store = model.slice(0, Math.max(0, slash))
  return stores.has(store) ? { store, model: model.slice(slash + 1) } : undefined
}

/** A deployment's parameters, and the prompt that those among them name which are not for the provider. */
export interface SplitParams {
  readonly params: JsonObject
  /** Undefined where there is no store and no `prompt_id`. */
  readonly prompt: DeploymentPrompt | undefined
}

/**
 * Takes `prompt_id`, `prompt_version`, `prompt_label`, `prompt_variables` and `ignore_prompt_manager_…` out of a
 * deployment's parameters. @param store that the deployment's model names @throws InvalidRequestError for wrong types
 */
export function splitPromptParams(all: JsonObject, store: string | undefined): SplitParams {
  const {
    prompt_id: id,
    prompt_version: version,
    prompt_label: label,
    prompt_variables: variables,
    ignore_prompt_manager_model: keepsModel,
    ignore_prompt_manager_optional_params: keepsParameters,
    ...params
  } = all
  if (store === undefined && id === undefined) return { params: all, prompt: undefined }
  const prompt: DeploymentPrompt = {
    store,
    id: textOf(id, 'prompt_id'),
    version: textOf(typeof version === 'number' ? String(version) : version, 'prompt_version'),
    label: textOf(label, 'prompt_label'),
    variables: objectOf(variables),
    keepsModel: keepsModel === true,
    keepsParameters: keepsParameters === true,
  }
  return { params, prompt: Object.freeze(prompt) }
}

/** How a model group is managed: only where it has exactly one deployment, as several could name several prompts. */
export function managedPrompt(
  deployments: readonly { readonly prompt?: DeploymentPrompt | undefined }[],
): DeploymentPrompt | undefined {
  return deployments.length === 1 ? deployments[0]?.prompt : undefined
}

function textOf(value: unknown, name: string): string | undefined {
  if (value === undefined || value === null) return undefined
  if (typeof value === 'string' && value !== '') return value
  throw new InvalidRequestError(`${name} of a model must be text.`, 'models')
}

function objectOf(value: unknown): JsonObject | undefined {
  if (value === undefined || value === null) return undefined
  if (isObject(value)) return value
  throw new InvalidRequestError('prompt_variables of a model must be an object.', 'models')
}
