import { describe, expect, it } from 'vitest'
import { UnsupportedParameterError } from '../../../src/errors.js'
import { createGeminiProtocol } from '../../../src/protocols/gemini/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { encodeChat, thrownBy } from './fixtures.js'

const configOf = (fields: JsonObject, model = 'gemini-2.5-flash') =>
  encodeChat(fields, { model }).body['generationConfig']

describe('the address', () => {
  it.each([
    ['gemini-2.5-flash', '/v1beta/models/gemini-2.5-flash:generateContent'],
    ['models/gemini-2.5-flash', '/v1beta/models/gemini-2.5-flash:generateContent'],
    ['tunedModels/my-1', '/v1beta/tunedModels/my-1:generateContent'],
    ['odd name/../x?y', '/v1beta/models/odd%20name%2F..%2Fx%3Fy:generateContent'],
  ])('of %s is %s', (model, path) => {
    expect(encodeChat({}, { model }).path).toBe(path)
  })

  it('of a stream asks for events, and never holds a key (case 24)', () => {
    const { path } = encodeChat({ stream: true, stream_options: { include_usage: true }, api_key: 'sk-1' })
    expect(path).toBe('/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse')
  })
})

describe('parameters', () => {
  it('are renamed', () => {
    const fields = {
      temperature: 0.2,
      top_p: 0.9,
      top_k: 40,
      seed: 7,
      n: 2,
      stop: ['x'],
      max_tokens: 5,
      logprobs: true,
      top_logprobs: 3,
      presence_penalty: 1,
      frequency_penalty: 0.5,
    }
    expect(configOf(fields)).toEqual({
      temperature: 0.2,
      topP: 0.9,
      topK: 40,
      seed: 7,
      candidateCount: 2,
      stopSequences: ['x'],
      maxOutputTokens: 5,
      responseLogprobs: true,
      logprobs: 3,
      presencePenalty: 1,
      frequencyPenalty: 0.5,
    })
    expect(configOf({ max_tokens: 5, max_completion_tokens: 6, stop: 'y' })).toEqual({
      maxOutputTokens: 6,
      stopSequences: ['y'],
    })
  })

  it('of the account, the connection and the gateway are never sent', () => {
    const { body } = encodeChat({
      user: 'u',
      metadata: { a: '1' },
      store: true,
      service_tier: 'flex',
      cache: { ttl: 1 },
      fallbacks: ['x'],
      num_retries: 2,
      mock_response: 'm',
      api_key: 'k',
      api_base: 'https://evil',
      base_url: 'https://evil',
      drop_params: false,
      litellm_trace_id: 't',
    })
    expect(Object.keys(body)).toEqual(['contents'])
  })

  it('that Gemini cannot honour are refused, all by name', () => {
    const error = thrownBy(() =>
      encodeChat({ logit_bias: { '1': 1 }, prediction: { type: 'content' }, labels: { a: 'b' } }),
    )
    expect(error).toBeInstanceOf(UnsupportedParameterError)
    expect(error).toMatchObject({ status: 400, param: 'logit_bias' })
    expect(String(error)).toContain('logit_bias, prediction, labels')
  })

  it('that Gemini cannot honour are dropped and listed where the deployment allows it', () => {
    const { body, dropped } = encodeChat(
      { logit_bias: { '1': 1 }, presence_penalty: 1 },
      { dropParams: true, model: 'gemini-3-pro-preview' },
    )
    expect(dropped).toEqual(['logit_bias', 'presence_penalty'])
    expect(body).not.toHaveProperty('generationConfig')
  })

  it('of penalty are refused by generation 3 only, unless they are allowed', () => {
    expect(thrownBy(() => configOf({ frequency_penalty: 1 }, 'gemini-3-flash-preview'))).toMatchObject({
      param: 'frequency_penalty',
    })
    expect(
      configOf({ frequency_penalty: 1, allowed_openai_params: ['frequency_penalty'] }, 'gemini-3-flash-preview'),
    ).toEqual({ frequencyPenalty: 1 })
  })

  it('of Gemini itself pass, at the top and inside generationConfig', () => {
    const { body } = encodeChat({
      temperature: 1,
      safety_settings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      cachedContent: 'cachedContents/1',
      generationConfig: { top_k: 3, thinkingConfig: { thinkingBudget: 9 } },
      responseModalities: ['TEXT'],
      reasoning_effort: 'high',
    })
    expect(body).toMatchObject({
      safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'BLOCK_NONE' }],
      cachedContent: 'cachedContents/1',
      generationConfig: {
        temperature: 1,
        topK: 3,
        responseModalities: ['TEXT'],
        thinkingConfig: { thinkingBudget: 9 },
      },
    })
  })

  it('never replace the conversation, or reach an object prototype', () => {
    expect(thrownBy(() => encodeChat({ contents: [], systemInstruction: {} }))).toMatchObject({ status: 400 })
    const hostile: JsonObject = JSON.parse(
      '{"__proto__":{"polluted":1},"generationConfig":{"__proto__":{"polluted":1}}}',
    )
    expect(JSON.stringify(encodeChat(hostile).body)).not.toContain('polluted')
  })

  it('of the deployment are defaults under the request', () => {
    const params = {
      temperature: 0,
      top_p: 0.5,
      max_tokens: 9,
      reasoning_effort: 'low',
      safety_settings: [],
      model: 'other',
    }
    const { body, path } = encodeChat(
      { temperature: 1, top_p: null, max_completion_tokens: 3, thinking: { type: 'disabled' } },
      { params },
    )
    expect(body).toMatchObject({
      safetySettings: [],
      generationConfig: { temperature: 1, topP: 0.5, maxOutputTokens: 3, thinkingConfig: { thinkingBudget: 0 } },
    })
    expect(path).toContain('gemini-2.5-flash')
  })

  it('named in additional_drop_params are left out', () => {
    expect(configOf({ seed: 1, top_p: 1, additional_drop_params: ['seed'] })).toEqual({ topP: 1 })
  })

  it('of labels pass where the host has them', () => {
    const protocol = createGeminiProtocol({ labels: true })
    expect(encodeChat({ labels: { team: 'a' } }, {}, protocol).body['labels']).toEqual({ team: 'a' })
  })
})

describe('output', () => {
  const schema = { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { type: 'string' } } }
  const response_format = { type: 'json_schema', json_schema: { name: 'x', schema } }

  it('is JSON on demand', () => {
    expect(configOf({ response_format: { type: 'json_object' } })).toEqual({ responseMimeType: 'application/json' })
    expect(configOf({ response_format: { type: 'text' } })).toBeUndefined()
  })

  it('follows a schema, as it is from generation 2 on, else inlined', () => {
    expect(configOf({ response_format })).toEqual({ responseMimeType: 'application/json', responseJsonSchema: schema })
    expect(configOf({ response_format }, 'gemini-1.5-pro')).toEqual({
      responseMimeType: 'application/json',
      responseSchema: { type: 'OBJECT', properties: { a: { type: 'STRING' } }, propertyOrdering: ['a'] },
    })
    const limited = encodeChat({ response_format }, { capabilities: { jsonSchema: false } })
    expect(limited.body['generationConfig']).toHaveProperty('responseSchema')
  })

  it('has modalities and a voice', () => {
    const audio = { voice: 'Kore', format: 'pcm16' }
    const speechConfig = { voiceConfig: { prebuiltVoiceConfig: { voiceName: 'Kore' } } }
    expect(configOf({ modalities: ['text', 'image'] })).toEqual({ responseModalities: ['TEXT', 'IMAGE'] })
    expect(configOf({ modalities: ['text', 'audio'], audio }, 'gemini-2.5-flash-preview-tts')).toEqual({
      responseModalities: ['AUDIO'],
      speechConfig,
    })
    expect(thrownBy(() => configOf({ audio: { voice: 'Kore', format: 'mp3' } }))).toMatchObject({
      param: 'audio.format',
    })
  })
})

describe('reasoning', () => {
  const thinkingOf = (fields: JsonObject, model: string) => {
    const config = configOf(fields, model)
    return (config as { thinkingConfig?: unknown } | undefined)?.thinkingConfig
  }
  const effort = (reasoning_effort: string) => ({ reasoning_effort })
  const budget = (budget_tokens: number) => ({ thinking: { type: 'enabled', budget_tokens } })
  const tokens = (thinkingBudget: number) => ({ includeThoughts: thinkingBudget !== 0, thinkingBudget })
  const level = (thinkingLevel: string) => ({ includeThoughts: true, thinkingLevel })

  it.each<readonly [string, JsonObject, JsonObject | undefined]>([
    ['gemini-2.5-flash', effort('minimal'), tokens(1)],
    ['gemini-2.5-pro', effort('minimal'), tokens(128)],
    ['gemini-2.5-flash-lite', effort('minimal'), tokens(512)],
    ['gemini-2.5-flash', effort('low'), tokens(1024)],
    ['gemini-2.5-flash', effort('medium'), tokens(2048)],
    ['gemini-2.5-flash', effort('high'), tokens(4096)],
    ['gemini-2.5-flash', effort('max'), tokens(24_576)],
    ['gemini-2.5-flash', effort('none'), tokens(0)],
    ['gemini-2.5-pro', effort('none'), { includeThoughts: false, thinkingBudget: 128 }],
    ['gemini-2.5-pro', budget(100_000), tokens(32_768)],
    ['gemini-2.5-flash-lite', budget(100), tokens(512)],
    ['gemini-2.5-flash', { thinking: { type: 'enabled' } }, tokens(-1)],
    ['gemini-2.5-flash', { ...budget(2000), ...effort('low') }, tokens(2000)],
    ['gemini-3-flash-preview', effort('minimal'), level('minimal')],
    ['gemini-3-pro-preview', effort('minimal'), level('low')],
    ['gemini-3-pro-preview', effort('medium'), level('high')],
    ['gemini-3.1-pro-preview', effort('minimal'), level('low')],
    ['gemini-3.8-flash', effort('minimal'), level('low')],
    ['gemini-3.8-flash', effort('xhigh'), level('high')],
    ['gemini-9-ultra', effort('minimal'), level('low')],
    ['gemini-3.1-pro-preview', effort('none'), { includeThoughts: false, thinkingLevel: 'low' }],
    ['gemini-3.1-pro-preview', budget(2048), level('medium')],
    ['gemini-2.0-flash', effort('none'), undefined],
  ])('of %s for %j is %j', (model, fields, expected) => {
    expect(thinkingOf(fields, model)).toEqual(expected)
  })

  it('is refused by models that cannot think, and by what the host says of one', () => {
    expect(thrownBy(() => thinkingOf(effort('low'), 'gemini-2.0-flash'))).toMatchObject({ param: 'reasoning_effort' })
    expect(thrownBy(() => encodeChat(budget(1), { capabilities: { reasoning: false } }))).toMatchObject({
      param: 'thinking',
    })
    const forced = encodeChat(effort('low'), { model: 'gemini-2.0-flash', capabilities: { reasoning: true } })
    expect(forced.body).toMatchObject({ generationConfig: { thinkingConfig: level('low') } })
  })

  it('of an unknown effort is an error', () => {
    expect(thrownBy(() => thinkingOf(effort('huge'), 'gemini-2.5-flash'))).toMatchObject({
      status: 400,
      param: 'reasoning_effort',
    })
  })
})
