/** Whether a model searches the web: where it is asked to, at every call, or many times over for one answer. */
export type Searching = 'asked' | 'always' | 'research'

// https://docs.perplexity.ai/docs/sonar/models, https://developers.openai.com/api/docs/guides/tools-web-search,
// https://openrouter.ai/docs/guides/features/plugins/web-search
const rows: readonly (readonly [RegExp, Searching])[] = [
  [/deep-research/i, 'research'],
  [/(?:^|\/)sonar(?:-|$)|search-(?:preview|api)|:online$/i, 'always'],
]

/** How a model searches, by its name at the provider. */
export function searchingOf(model: string): Searching {
  return rows.find(([pattern]) => pattern.test(model))?.[1] ?? 'asked'
}
