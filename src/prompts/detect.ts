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

/** How a model group is managed: only where it has exactly one deployment, as several could name several prompts. */
export function managedGroup(models: readonly string[], stores: ReadonlySet<string>): ManagedModel | undefined {
  const [model] = models
  return models.length === 1 && model !== undefined ? detectPromptStore(model, stores) : undefined
}
