import { describe, expect, it } from 'vitest'
import { toServiceTier, toUsage } from '../../../src/protocols/gemini/usage.js'

const counts = (prompt: number, completion: number) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
})

describe('toUsage (case 21)', () => {
  it('adds thoughts to what was written', () => {
    const usage = toUsage({ promptTokenCount: 10, candidatesTokenCount: 4, thoughtsTokenCount: 6, totalTokenCount: 20 })
    expect(usage).toMatchObject({ ...counts(10, 10), completion_tokens_details: { reasoning_tokens: 6 } })
  })

  it('does not add them again where the total says that they are inside', () => {
    const usage = toUsage({ promptTokenCount: 10, candidatesTokenCount: 9, thoughtsTokenCount: 6, totalTokenCount: 19 })
    expect(usage).toMatchObject({ ...counts(10, 9), completion_tokens_details: { reasoning_tokens: 6 } })
  })

  it('counts what hosted tools read as read, once', () => {
    const base = { promptTokenCount: 10, candidatesTokenCount: 4, toolUsePromptTokenCount: 100 }
    expect(toUsage({ ...base, totalTokenCount: 114 })).toMatchObject({
      ...counts(110, 4),
      prompt_tokens_details: { tool_use_tokens: 100 },
    })
    expect(toUsage({ ...base, promptTokenCount: 110, totalTokenCount: 114 })).toMatchObject(counts(110, 4))
  })

  it('tells cached tokens and modalities', () => {
    const usage = toUsage({
      promptTokenCount: 10,
      cachedContentTokenCount: 8,
      candidatesTokenCount: 4,
      totalTokenCount: 14,
      promptTokensDetails: [
        { modality: 'TEXT', tokenCount: 3 },
        { modality: 'IMAGE', tokenCount: 7 },
      ],
      candidatesTokensDetails: [{ modality: 'AUDIO', tokenCount: 4 }],
    })
    expect(usage).toMatchObject({
      ...counts(10, 4),
      cache_read_input_tokens: 8,
      prompt_tokens_details: { cached_tokens: 8, text_tokens: 3, image_tokens: 7 },
      completion_tokens_details: { audio_tokens: 4 },
    })
  })

  it('finds the prompt in the total where it is not told', () => {
    expect(toUsage({ candidatesTokenCount: 1, thoughtsTokenCount: 117, totalTokenCount: 693 })).toMatchObject(
      counts(575, 118),
    )
  })

  it('is nothing where nothing was counted', () => {
    for (const usage of [undefined, null, {}, { trafficType: 'ON_DEMAND' }, { promptTokenCount: 'x' }]) {
      expect(toUsage(usage)).toBeUndefined()
    }
  })
})

describe('toServiceTier', () => {
  it("gives OpenAI's word, and none for what OpenAI has no word for", () => {
    expect(toServiceTier({ serviceTier: 'standard' })).toBe('default')
    expect(toServiceTier({ serviceTier: 'toString' })).toBeUndefined()
    expect(toServiceTier(undefined)).toBeUndefined()
  })
})
