/** How much a model reads and writes, in tokens. */
export interface TokenLimits {
  readonly contextWindow: number
  readonly maxOutputTokens: number
}

type Rows = readonly (readonly [RegExp, TokenLimits])[]

const limits = (contextWindow: number, maxOutputTokens: number): TokenLimits => ({ contextWindow, maxOutputTokens })

// The first match counts; the last row of a family holds for every newer id. Sources: the makers' model pages, 2026-11.
const families: Readonly<Record<'claude' | 'gemini' | 'openai', Rows>> = {
  claude: [
    [/claude-(?:instant|1|2(?:-0|\.0)?$)/, limits(100_000, 4_096)],
    [/claude-[23]/, limits(200_000, 8_192)],
    [/(?:opus|sonnet|haiku)-4(?:[-.][015](?!\d)|-\d{8}|$)|claude-4-/, limits(200_000, 64_000)],
    [/./, limits(1_000_000, 128_000)],
  ],
  gemini: [
    [/^gemma-[12]/, limits(8_192, 8_192)],
    [/^gemma-/, limits(131_072, 8_192)],
    [/^gemini-(?:1\.0-)?pro/, limits(32_760, 8_192)],
    [/^gemini-1\.5-pro/, limits(2_097_152, 8_192)],
    [/^gemini-1\.|^gemini-2\.0|^gemini-exp|^learnlm/, limits(1_048_576, 8_192)],
    [/image/, limits(65_536, 32_768)],
    [/tts/, limits(32_768, 16_384)],
    [/./, limits(1_048_576, 65_536)],
  ],
  openai: [
    [/^gpt-3\.5/, limits(16_385, 4_096)],
    [/^gpt-4-32k/, limits(32_768, 8_192)],
    [/^gpt-4(?:-\d{4})?$/, limits(8_192, 8_192)],
    [/^gpt-4-/, limits(128_000, 4_096)],
    [/^(?:gpt-4o|chatgpt-4o|gpt-audio)/, limits(128_000, 16_384)],
    [/^gpt-4\.1/, limits(1_047_576, 32_768)],
    [/^gpt-4\.5/, limits(128_000, 16_384)],
    [/^o1-mini/, limits(128_000, 65_536)],
    [/^o1-preview/, limits(128_000, 32_768)],
    [/^o\d/, limits(200_000, 100_000)],
    [/^gpt-5(?:\.\d+)?-chat/, limits(128_000, 16_384)],
    [/^gpt-5(?:\.[0-3])?(?![.\d])/, limits(400_000, 128_000)],
    [/./, limits(1_050_000, 128_000)],
  ],
}

/** The limits of a model of one of the three large families, by its bare lower-case name. */
export function tokenLimitsOf(family: keyof typeof families, name: string): TokenLimits | undefined {
  return families[family].find(([pattern]) => pattern.test(name))?.[1]
}
