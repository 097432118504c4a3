import type { PromptStoreOptions } from '../prompts/index.js'
import { type Environment, firstSet } from '../providers/environment.js'
import type { ConfigModel } from './models.js'
import type { Findings } from './sift.js'

/** What a file says about prompts. */
export interface PromptConfig {
  /** Undefined where no model is managed by Langfuse. */
  readonly prompts?: PromptStoreOptions
  /** Where the prompts of models of `dotprompt/` are. */
  readonly promptDirectory?: string
}

/** The prompt managers that the models of a file begin with: `langfuse/gpt-4o`, `dotprompt/gpt-4o`. Adds to `findings`. */
export function toPrompts(
  models: readonly ConfigModel[],
  directory: string | undefined,
  env: Environment,
  { problems }: Findings,
): PromptConfig {
  const isManagedBy = (store: string): boolean => models.some(({ model }) => model.startsWith(`${store}/`))
  const need = (...variables: readonly string[]): string => {
    const found = firstSet(env, variables)
    if (!found) problems.push(`model_list: environment variable ${variables[0]} is not set, for models of langfuse/`)
    return found?.value ?? ''
  }
  if (isManagedBy('dotprompt') && directory === undefined) {
    problems.push('litellm_settings.global_prompt_directory: is required for models of dotprompt/')
  }
  if (!isManagedBy('langfuse')) return directory === undefined ? {} : { promptDirectory: directory }
  const baseUrl = firstSet(env, ['LANGFUSE_HOST', 'LANGFUSE_BASE_URL'])?.value
  const langfuse = {
    type: 'langfuse' as const,
    publicKey: need('LANGFUSE_PUBLIC_KEY'),
    secretKey: need('LANGFUSE_SECRET_KEY', 'LANGFUSE_SECRET'),
    ...(baseUrl !== undefined && { baseUrl }),
  }
  return { prompts: { langfuse }, ...(directory !== undefined && { promptDirectory: directory }) }
}
