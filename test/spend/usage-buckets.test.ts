import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toUsage as fromClaude } from '../../src/protocols/anthropic/usage.js'
import { toMessagesUsage } from '../../src/protocols/bedrock-converse/answer.js'
import { toImageUsage, toUsage as fromGemini } from '../../src/protocols/gemini/usage.js'
import { toUsage as fromOpenai } from '../../src/protocols/openai/usage.js'
import { toUsage as fromResponses } from '../../src/protocols/openai-responses/usage.js'
import {
  completionTokens,
  estimatedBuckets,
  noUsage,
  promptTokens,
  toBuckets,
  tokenlessBuckets,
  type UsageBuckets,
} from '../../src/spend/index.js'

/** Only the buckets that hold something. */
function filled(buckets: UsageBuckets | undefined): Partial<UsageBuckets> {
  return Object.fromEntries(Object.entries(buckets ?? {}).filter(([, value]) => value !== 0 && value !== false))
}

describe("providers' usage in buckets", () => {
  it.each<[string, Parameters<typeof toBuckets>[0], Partial<UsageBuckets>]>([
    [
      "Claude's caches by lifetime",
      fromClaude({
        input_tokens: 3,
        cache_creation_input_tokens: 12_304,
        cache_read_input_tokens: 50,
        cache_creation: { ephemeral_5m_input_tokens: 2304, ephemeral_1h_input_tokens: 10_000 },
        output_tokens: 550,
        server_tool_use: { web_search_requests: 2 },
      }),
      { inputUncached: 3, cacheWrite5m: 2304, cacheWrite1h: 10_000, cacheRead: 50, outputText: 550, webSearches: 2 },
    ],
    [
      "Claude's cache writes without lifetimes",
      fromClaude({ input_tokens: 0, cache_creation_input_tokens: 1000, output_tokens: 1 }),
      { cacheWrite5m: 1000, outputText: 1 },
    ],
    [
      "Claude's passes of compaction",
      fromClaude({
        input_tokens: 10,
        output_tokens: 20,
        iterations: [
          {
            type: 'compaction',
            input_tokens: 100,
            output_tokens: 30,
            cache_creation_input_tokens: 7,
            cache_creation: { ephemeral_1h_input_tokens: 7 },
          },
          { type: 'message', input_tokens: 10, output_tokens: 20 },
        ],
      }),
      { inputUncached: 110, cacheWrite1h: 7, outputText: 50 },
    ],
    [
      "Claude's thinking",
      fromClaude({ input_tokens: 5, output_tokens: 90, output_tokens_details: { thinking_tokens: 70 } }),
      { inputUncached: 5, outputText: 20, reasoning: 70 },
    ],
    [
      "Converse's caches by lifetime",
      fromClaude(
        toMessagesUsage(
          {
            inputTokens: 10,
            outputTokens: 5,
            cacheReadInputTokens: 100,
            cacheWriteInputTokens: 30,
            cacheDetails: [
              { ttl: '1h', inputTokens: 20 },
              { ttl: '5m', inputTokens: 10 },
            ],
          },
          undefined,
        ),
      ),
      { inputUncached: 10, cacheRead: 100, cacheWrite1h: 20, cacheWrite5m: 10, outputText: 5 },
    ],
    [
      "OpenAI's cached, reasoning and sound",
      fromOpenai({
        prompt_tokens: 1000,
        completion_tokens: 500,
        total_tokens: 1500,
        prompt_tokens_details: { cached_tokens: 300, audio_tokens: 200 },
        completion_tokens_details: { reasoning_tokens: 100, audio_tokens: 250, rejected_prediction_tokens: 10 },
      }),
      { inputUncached: 500, cacheRead: 300, audioInput: 200, outputText: 150, reasoning: 100, audioOutput: 250 },
    ],
    [
      "xAI's reasoning beside the answer",
      fromOpenai({
        prompt_tokens: 32,
        completion_tokens: 9,
        total_tokens: 342,
        completion_tokens_details: { reasoning_tokens: 301 },
      }),
      { inputUncached: 32, outputText: 9, reasoning: 301 },
    ],
    [
      "DeepSeek's cache",
      fromOpenai({ prompt_tokens: 100, completion_tokens: 1, total_tokens: 101, prompt_cache_hit_tokens: 64 }),
      { inputUncached: 36, cacheRead: 64, outputText: 1 },
    ],
    [
      "the Responses API's cache writes and searches",
      fromResponses(
        { input_tokens: 50, output_tokens: 9, input_tokens_details: { cached_tokens: 10, cache_write_tokens: 30 } },
        [
          { type: 'web_search_call', action: { type: 'search' } },
          { type: 'web_search_call', action: { type: 'open_page' } },
          { type: 'message' },
        ],
      ),
      { inputUncached: 10, cacheRead: 10, cacheWrite5m: 30, outputText: 9, webSearches: 1 },
    ],
    [
      "Gemini's thoughts, tools and sound in the cache",
      fromGemini({
        promptTokenCount: 7477,
        candidatesTokenCount: 2060,
        thoughtsTokenCount: 1939,
        toolUsePromptTokenCount: 100,
        totalTokenCount: 11_576,
        cachedContentTokenCount: 3000,
        promptTokensDetails: [
          { modality: 'TEXT', tokenCount: 477 },
          { modality: 'AUDIO', tokenCount: 7000 },
        ],
        cacheTokensDetails: [{ modality: 'AUDIO', tokenCount: 3000 }],
      }),
      {
        inputUncached: 477,
        toolPrompt: 100,
        audioInput: 4000,
        cacheReadAudio: 3000,
        outputText: 2060,
        reasoning: 1939,
      },
    ],
    [
      "Gemini's images out",
      fromGemini({
        promptTokenCount: 20,
        candidatesTokenCount: 1340,
        totalTokenCount: 1360,
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
      }),
      { inputUncached: 20, outputText: 50, imageOutput: 1290 },
    ],
    [
      "an image model's image out, when it is asked for images",
      toImageUsage({
        promptTokenCount: 20,
        candidatesTokenCount: 1290,
        totalTokenCount: 1310,
        candidatesTokensDetails: [{ modality: 'IMAGE', tokenCount: 1290 }],
      }),
      { inputUncached: 20, imageOutput: 1290 },
    ],
    [
      'an image whose output is not told apart',
      { input_tokens: 23, output_tokens: 1056, total_tokens: 1079, input_tokens_details: { text_tokens: 23 } },
      { inputUncached: 23, imageOutput: 1056 },
    ],
    ['embeddings', { prompt_tokens: 8, total_tokens: 8 }, { inputUncached: 8 }],
  ])('tells %s', (_label, usage, expected) => expect(filled(toBuckets(usage))).toEqual(expected))

  it.each([
    [undefined],
    [{ prompt_tokens: 0, total_tokens: 0 }],
    [{ prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 }],
  ])('takes %o for a provider that tells nothing', (usage) => expect(toBuckets(usage)).toBeUndefined())

  it('flags what it had to count itself, and not what has no tokens', () => {
    expect(filled(estimatedBuckets(10, 5))).toEqual({ inputUncached: 10, outputText: 5, estimated: true })
    expect(filled(tokenlessBuckets({ images: 2, milliseconds: 7 }))).toEqual({ images: 2, milliseconds: 7 })
    expect(filled(toBuckets({ prompt_tokens: 1, total_tokens: 1 }, { milliseconds: 9 }))).toEqual({
      inputUncached: 1,
      milliseconds: 9,
    })
  })
})

const tokens = fc.nat({ max: 1_000_000 })

describe('the sum of the buckets', () => {
  it("is the provider's total, whatever it tells of the parts", () => {
    const details = fc.record(
      {
        cached_tokens: tokens,
        cache_creation_tokens: tokens,
        audio_tokens: tokens,
        image_tokens: tokens,
        video_tokens: tokens,
        tool_use_tokens: tokens,
        cached_tokens_details: fc.record({ audio_tokens: tokens, image_tokens: tokens, video_tokens: tokens }),
      },
      { requiredKeys: [] },
    )
    const written = fc.record({ audio_tokens: tokens, image_tokens: tokens }, { requiredKeys: [] })
    fc.assert(
      fc.property(tokens, tokens, details, written, (prompt, completion, prompt_tokens_details, output) => {
        const buckets =
          toBuckets({
            prompt_tokens: prompt,
            completion_tokens: completion,
            total_tokens: prompt + completion,
            prompt_tokens_details,
            completion_tokens_details: { ...output, reasoning_tokens: Math.floor(completion / 3) },
          }) ?? noUsage
        expect(promptTokens(buckets)).toBe(prompt)
        expect(completionTokens(buckets)).toBe(completion)
        expect(Object.values(buckets).every((value) => typeof value === 'boolean' || value >= 0)).toBe(true)
      }),
    )
  })

  it("is Claude's own sum, and no bucket is guessed", () => {
    fc.assert(
      fc.property(tokens, tokens, tokens, tokens, tokens, (input, short, long, read, output) => {
        fc.pre(input + short + long + read + output > 0)
        const usage = fromClaude({
          input_tokens: input,
          output_tokens: output,
          cache_read_input_tokens: read,
          cache_creation_input_tokens: short + long,
          cache_creation: { ephemeral_5m_input_tokens: short, ephemeral_1h_input_tokens: long },
        })
        expect(toBuckets(usage)).toEqual({
          ...noUsage,
          inputUncached: input,
          cacheWrite5m: short,
          cacheWrite1h: long,
          cacheRead: read,
          outputText: output,
        })
      }),
    )
  })

  it.each([1e300, 4e31, Number.MAX_SAFE_INTEGER])(
    'keeps what no model can have used within what stores can add up: %d',
    (tokens) => {
      const chat = { prompt_tokens: tokens, completion_tokens: tokens, total_tokens: tokens, citation_tokens: tokens }
      const details = { completion_tokens_details: { reasoning_tokens: tokens }, num_search_queries: tokens }
      const image = { input_tokens: tokens, output_tokens: tokens, total_tokens: tokens }
      for (const usage of [{ ...chat, ...details }, image]) {
        const buckets = toBuckets(usage)
        expect(buckets?.estimated).toBe(true)
        for (const [name, value] of Object.entries(filled(buckets))) {
          if (name !== 'estimated') expect(value, name).toBe(1e9)
        }
      }
    },
  )

  it('flags a provider that contradicts itself', () => {
    const buckets = toBuckets({
      prompt_tokens: 10,
      completion_tokens: 1,
      total_tokens: 11,
      prompt_tokens_details: { cached_tokens: 25 },
    })
    expect(filled(buckets)).toEqual({ cacheRead: 10, outputText: 1, estimated: true })
  })
})
