/** Models that are known by their bare name: a pattern, and the prefix of the provider that makes them. */
interface BareModel {
  readonly pattern: RegExp
  readonly provider: string
}

/** Well-known model names without a provider's prefix; the first match counts. */
const bareModels: readonly BareModel[] = [
  // Google's, although they look like OpenAI's.
  { pattern: /^text-embedding-00\d/, provider: 'vertex_ai' },
  { pattern: /^(ft:)?(gpt-|chatgpt-|o[1-9](-|$)|davinci-002|babbage-002)/, provider: 'openai' },
  { pattern: /^(text-embedding-|dall-e-|codex-|computer-use-)/, provider: 'openai' },
  { pattern: /^claude-/, provider: 'anthropic' },
  { pattern: /^gemini-/, provider: 'gemini' },
  { pattern: /^grok-/, provider: 'xai' },
  { pattern: /^deepseek-/, provider: 'deepseek' },
  {
    pattern: /^((open-)?(mistral|mixtral)-|open-codestral-|ministral-|codestral-|magistral-|devstral-|pixtral-)/,
    provider: 'mistral',
  },
  { pattern: /^(kimi-|moonshot-)/, provider: 'moonshot' },
  { pattern: /^glm-\d/, provider: 'zai' },
  { pattern: /^(jamba|j2)-/, provider: 'ai21' },
  { pattern: /^(chat)?dolphin$/, provider: 'nlp_cloud' },
  { pattern: /^(command-|embed-(english|multilingual|v)|rerank-)/, provider: 'cohere' },
  { pattern: /^sonar(-|$)/, provider: 'perplexity' },
  { pattern: /^voyage-/, provider: 'voyage' },
  {
    pattern: /^((us|us-gov|eu|apac|jp|au|global)\.)?(anthropic|amazon|meta|mistral|cohere|ai21|deepseek|openai|qwen)\./,
    provider: 'bedrock',
  },
]

/** The provider prefix of a bare model name; undefined for an unknown one, and for one with a prefix of its own. */
export function providerOfBareModel(model: string): string | undefined {
  if (model.includes('/')) return undefined
  return bareModels.find(({ pattern }) => pattern.test(model))?.provider
}
