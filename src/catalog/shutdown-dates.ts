interface Shutdown {
  readonly pattern: RegExp
  /** `YYYY-MM-DD`. */
  readonly date: string
}

// By maker: dates hold for its own API only; the clouds that resell a model keep it longer or end it sooner. A pattern
// is matched against the name without its snapshot's date, so that it covers all snapshots; the first match counts.
// Sources, 2026-11: https://developers.openai.com/api/docs/deprecations,
// https://platform.claude.com/docs/en/about-claude/model-deprecations, https://ai.google.dev/gemini-api/docs/deprecations,
// https://docs.x.ai/docs/models, https://api-docs.deepseek.com/updates, https://docs.cohere.com/docs/deprecations.
const shutdowns: Readonly<Record<string, readonly Shutdown[]>> = {
  openai: [
    { pattern: /^text-(?:davinci|curie|babbage|ada)-\d{3}$|^(?:davinci|curie|babbage|ada)$/, date: '2024-01-04' },
    { pattern: /^gpt-4-vision-preview$/, date: '2024-12-06' },
    { pattern: /^gpt-4-32k/, date: '2025-06-06' },
    { pattern: /^gpt-4\.5-preview$/, date: '2025-07-14' },
    { pattern: /^o1-preview$/, date: '2025-07-28' },
    { pattern: /^o1-mini$/, date: '2025-10-27' },
    { pattern: /^dall-e-[23]$/, date: '2026-05-12' },
    {
      pattern: /^gpt-3\.5-turbo$|^gpt-4(?:-turbo|-0613|-1106-preview)?$|^gpt-4\.1-nano$|^gpt-image-1$/,
      date: '2026-10-23',
    },
    { pattern: /^(?:o1|o1-pro|o3-mini|o4-mini)$/, date: '2026-10-23' },
    { pattern: /^(?:gpt-image-1-mini|gpt-image-1\.5|chatgpt-image)$/, date: '2026-12-01' },
    { pattern: /^(?:gpt-5|gpt-5-mini|gpt-5-nano|gpt-5-pro|o3|o3-pro)$/, date: '2026-12-11' },
    { pattern: /^(?:gpt-4o|gpt-4o-mini|gpt-4\.1|gpt-4\.1-mini)$/, date: '2027-01-14' },
    { pattern: /^gpt-5\.1$/, date: '2027-04-01' },
  ],
  anthropic: [
    { pattern: /^claude-(?:1|instant-)/, date: '2024-11-06' },
    { pattern: /^claude-(?:2|3-sonnet)/, date: '2025-07-21' },
    { pattern: /^claude-3-5-sonnet/, date: '2025-10-28' },
    { pattern: /^claude-3-opus/, date: '2026-01-05' },
    { pattern: /^claude-3-(?:7-sonnet|5-haiku)/, date: '2026-02-19' },
    { pattern: /^claude-3-haiku/, date: '2026-04-20' },
    { pattern: /^claude-(?:sonnet|opus)-4(?:-0)?$/, date: '2026-06-15' },
    { pattern: /^claude-opus-4-1$/, date: '2026-08-05' },
  ],
  gemini: [
    { pattern: /^gemini-(?:1\.0-)?pro(?:-vision)?(?:-001)?$/, date: '2025-02-15' },
    { pattern: /^gemini-1\.5-/, date: '2025-09-29' },
    { pattern: /^imagen-3/, date: '2025-11-10' },
    { pattern: /^gemini-2\.5-pro-preview-0[356]/, date: '2025-12-02' },
    { pattern: /^text-embedding-004$/, date: '2026-01-14' },
    { pattern: /^gemini-3-pro-preview$/, date: '2026-03-09' },
    { pattern: /^gemini-2\.0-flash(?:-lite)?(?:-001)?$/, date: '2026-06-01' },
    { pattern: /^imagen-4/, date: '2026-06-24' },
    { pattern: /^gemini-3(?:\.1-flash|-pro)-image-preview$/, date: '2026-06-25' },
    { pattern: /^gemini-2\.5-(?:pro|flash)$/, date: '2026-12-01' },
  ],
  xai: [{ pattern: /^grok-(?:3|4-0709|4-fast|code-fast-1)/, date: '2026-05-15' }],
  deepseek: [{ pattern: /^deepseek-(?:chat|reasoner)$/, date: '2026-07-24' }],
  cohere: [{ pattern: /^embed-(?:english|multilingual)-(?:light-)?v2\.0$/, date: '2026-04-04' }],
}

// One snapshot that went before the others of its model.
const snapshots: Readonly<Record<string, string>> = { 'gpt-4o-2024-05-13': '2026-10-23' }

/** The day on which a model's maker switched it off, or will, at the maker's own address; undefined where none is known. */
export function shutdownDateOf(provider: string, name: string): string | undefined {
  const dates = Object.hasOwn(shutdowns, provider) ? shutdowns[provider] : undefined
  if (!dates) return undefined
  if (Object.hasOwn(snapshots, name)) return snapshots[name]
  const undated = name.replace(/-(?:\d{8}|\d{4}-\d{2}-\d{2}|latest|0125)$/, '')
  return dates.find(({ pattern }) => pattern.test(undated))?.date
}
