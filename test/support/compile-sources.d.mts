/** The sources as JavaScript, for processes of their own. */
export interface CompiledSources {
  /** Holds `src` and `adapters`. */
  readonly folder: string
  readonly remove: () => void
}

/** Compiles the sources as they are, without checking types. */
export function compileSources(): CompiledSources
