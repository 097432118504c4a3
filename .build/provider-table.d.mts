import type { Provider } from '../src/providers/provider.js'

/** The table in Markdown: one line per provider, sorted by name, active ones before retired ones. */
export declare function renderProviderTable(providers: readonly Provider[]): string

/** The README with the table between its markers. @throws Error where it has none */
export declare function insertProviderTable(readme: string, table: string): string
