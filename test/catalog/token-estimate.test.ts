import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { estimateTextTokens } from '../../src/catalog/text-tokens.js'
import { createInputEstimator, type EstimatedRequest, estimateInputTokens } from '../../src/catalog/token-estimate.js'
import { ChatRequest } from '../../src/wire/chat.js'

/** Texts with their exact tokens in OpenAI's newer and older encoding. */
const counted: readonly (readonly [kind: string, text: string, newer: number, older: number])[] = [
  [
    'prose',
    'Budgets are checked before a call is made. Whatever many callers do at the same time, the sum of what they may spend stays below the limit that was set for them; only afterwards does the ledger learn what the call really cost. ',
    49,
    49,
  ],
  [
    'code',
    "export function toPrice(options: PriceOptions): Price {\n  const rates = Object.entries(options).map(([name, value]) => [name, BigInt(value)])\n  if (rates.length === 0) throw new RangeError('no rates')\n  return { ...Object.fromEntries(rates), tiers: [] }\n}\n",
    65,
    64,
  ],
  [
    'json',
    '{"type":"function","function":{"name":"get_weather","description":"The weather of a city","parameters":{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":1}},"required":["city"]}}}',
    52,
    50,
  ],
  ['ids', '3f2b8c1e-9a4d-4e7f-b1c2-6d5e4f3a2b1c 7c9e6679-7425-40de-944b-e07fc1f90ae7 sk-a8Kd92LmQpXz41Rt', 71, 74],
  [
    'base64',
    'iVBORw0KGgoAAAANSUhEUgAAAAUAAAAFCAYAAACNbyblAAAAHElEQVQI12P4//8/w38GIAXDIBKE0DHxgljNBAAO9TXL0Y4OHwAAAABJRU5ErkJggg==',
    66,
    67,
  ],
  ['numbers', '2026-11-25T21:43:41Z 1,024.50 98.6 3.14159 -17 42 1000000 0.0375 12:30 192.168.0.1', 53, 53],
  [
    'german',
    'Die Geschwindigkeitsbegrenzung gilt außerhalb geschlossener Ortschaften auch für übergroße Fahrzeuge, sofern die Straßenverkehrsbehörde nichts anderes beschließt. ',
    35,
    49,
  ],
  ['russian', 'Бюджет проверяется до вызова модели, а журнал узнаёт настоящую цену только после него. ', 23, 40],
  ['chinese', '在调用模型之前检查预算,之后账本才知道真实的费用。无论同时有多少调用者,总额都不会超过限制。', 31, 46],
  ['japanese', 'モデルを呼び出す前に予算を確認し、その後で台帳が実際の費用を知ります。', 28, 43],
  ['korean', '모델을 호출하기 전에 예산을 확인하고 그 뒤에 장부가 실제 비용을 알게 됩니다. ', 25, 37],
  ['arabic', 'يتم التحقق من الميزانية قبل استدعاء النموذج وبعد ذلك يعرف الدفتر التكلفة الحقيقية. ', 25, 56],
  ['hindi', 'मॉडल को बुलाने से पहले बजट की जाँच होती है और बाद में असली लागत पता चलती है। ', 27, 76],
  ['emoji', '🎉🚀 done ✅ 👩‍💻 next → 🐛 fixed ❤️', 18, 23],
  [
    'markdown',
    '# Prices\n\n| model | input | output |\n|---|---:|---:|\n| `gpt-5` | $1.25 | $10.00 |\n\n- **Tiers** by *prompt size*\n- [Docs](https://example.com/docs?page=2#tiers)\n',
    62,
    63,
  ],
]

describe('the tokens of a text', () => {
  it.each(counted)('are guessed near the newer count, and bounded above both: %s', (_kind, text, newer, older) => {
    const { tokens, atMost } = estimateTextTokens(text)
    expect(tokens / newer).toBeGreaterThan(0.8)
    expect(tokens / newer).toBeLessThan(1.35)
    expect(atMost).toBeGreaterThan(Math.max(newer, older))
    expect(atMost / newer).toBeLessThan(5.2)
  })

  it('are never guessed above their bound, nor bounded below one for each word', () => {
    const words = fc.array(fc.constantFrom('a', 'I', 'to', 'x', '9', ',', '  ', '\n', 'é', '語'), { maxLength: 200 })
    fc.assert(
      fc.property(
        fc.oneof(
          words.map((list) => list.join(' ')),
          fc.string({ unit: 'grapheme' }),
        ),
        (text) => {
          const { tokens, atMost } = estimateTextTokens(text)
          expect(tokens).toBeLessThanOrEqual(atMost)
        },
      ),
    )
    // Each is a token of every tokenizer.
    expect(estimateTextTokens('a '.repeat(1_000)).atMost).toBeGreaterThanOrEqual(1_000)
  })

  it('are none where there is no text', () => expect(estimateTextTokens('')).toEqual({ tokens: 0, atMost: 0 }))

  it('are never fewer than the guess at most, and never more than bytes and a third', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
        const { tokens, atMost } = estimateTextTokens(text)
        expect(atMost).toBeGreaterThanOrEqual(0)
        expect(tokens).toBeLessThanOrEqual(Buffer.byteLength(text) + 1)
        expect(atMost).toBeLessThanOrEqual(Buffer.byteLength(text) * 1.35 + 1)
      }),
    )
  })

  it('grow with the text, and do not depend on where it is cut by more than a few', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 200 }), fc.string({ maxLength: 200 }), (first, second) => {
        const whole = estimateTextTokens(first + second).atMost
        const parts = estimateTextTokens(first).atMost + estimateTextTokens(second).atMost
        expect(Math.abs(whole - parts)).toBeLessThanOrEqual(20)
      }),
    )
  })

  it('are those of its characters, whether or not one of them is beyond ASCII', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary-ascii', minLength: 64, maxLength: 300 }), (text) => {
        // Counted as 1 at most, 0.4 as a guess.
        const beyond = estimateTextTokens(`${text}é`)
        expect(beyond.atMost).toBe(estimateTextTokens(text).atMost + 1)
        expect(beyond.tokens - estimateTextTokens(text).tokens).toBeOneOf([0, 1])
      }),
    )
  })

  it.each(['a', 'A', '7', ' ', '\n', '{', '界', '😀'])('take no longer for a million of %j than for text', (letter) => {
    const start = performance.now()
    const { atMost } = estimateTextTokens(letter.repeat(1_000_000))
    expect(performance.now() - start).toBeLessThan(5000)
    expect(atMost).toBeGreaterThan(100_000)
  })
})

const chat = (request: Record<string, unknown>): EstimatedRequest =>
  ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...request })
const content = (...parts: readonly unknown[]): EstimatedRequest =>
  chat({ messages: [{ role: 'user', content: parts }] })
const text = { type: 'text', text: 'Hi' }

describe('the tokens of a request', () => {
  const bare = estimateInputTokens(chat({}))

  it('are those of its words and of what stands around them', () => {
    expect(bare).toMatchObject({ tokens: 8, isBounded: true, cachesForAnHour: false })
    expect(bare.atMost).toMatchObject({ image: 0, audio: 0, file: 0 })
    expect(bare.atMost.text).toBeLessThan(40)
  })

  const name = 'get_the_weather_of_tomorrow_in_a_city_that_has_a_very_long_name'
  it.each<[string, EstimatedRequest]>([
    [
      'instructions',
      chat({
        messages: [
          { role: 'system', content: name },
          { role: 'user', content: 'Hi' },
        ],
      }),
    ],
    [
      'calls of tools',
      chat({
        messages: [
          { role: 'assistant', tool_calls: [{ id: 'a', type: 'function', function: { name, arguments: '{}' } }] },
        ],
      }),
    ],
    ['results of tools', chat({ messages: [{ role: 'tool', tool_call_id: 'a', content: name }] })],
    ['reasoning', chat({ messages: [{ role: 'assistant', content: 'Hi', reasoning_content: name }] })],
    ['tools', chat({ tools: [{ type: 'function', function: { name } }] })],
    ['older tools', chat({ functions: [{ name }] })],
    [
      'schemas',
      chat({ response_format: { type: 'json_schema', json_schema: { name: 'x', schema: { description: name } } } }),
    ],
    ['predictions', chat({ prediction: { type: 'content', content: name } })],
    ['parts of unknown kinds', content({ type: 'refusal', refusal: name })],
  ])('count %s', (_what, request) => expect(estimateInputTokens(request).tokens).toBeGreaterThan(bare.tokens + 10))

  it.each<[string, EstimatedRequest, number]>([
    ['a text', { model: 'm', input: 'one two three' }, 6],
    ['texts', { model: 'm', input: ['one two', 'three'] }, 6],
    ['tokens', { model: 'm', input: [1, 2, 3, 4, 5] }, 8],
    ['lists of tokens', { model: 'm', input: [[1, 2], [3]] }, 6],
    ['a prompt', { model: 'm', prompt: 'one two three', suffix: 'four' }, 7],
    ['a prompt for an image', { model: 'm', prompt: 'one two three' }, 6],
  ])('count %s', (_what, request, tokens) => expect(estimateInputTokens(request).tokens).toBe(tokens))

  it('count an image by what models make of one, not by its bytes', () => {
    const image = (url: string, detail?: string) => ({ type: 'image_url', image_url: { url, detail } })
    const large = estimateInputTokens(content(text, image(`data:image/png;base64,${'A'.repeat(1_000_000)}`)))
    expect(large.atMost.image).toBe(5000)
    expect(large.tokens).toBeLessThan(1100)
    expect(estimateInputTokens(content(image('https://x.test/a.png', 'low'))).tokens).toBeLessThan(100)
    expect(estimateInputTokens(content(image('https://x.test/a.png')), 'gpt-4o-mini').atMost.image).toBe(48_169)
    // 4032x3024 pixels were counted as so many.
    for (const model of ['gpt-5.4', 'openai/gpt-6-sol']) {
      expect(estimateInputTokens(content(image('https://x.test/a.png')), model).atMost.image).toBeGreaterThan(14_364)
    }
    expect(estimateInputTokens(content(image('https://x.test/a.png')), 'gpt-5.2').atMost.image).toBe(5000)
  })

  it('count sound by its length', () => {
    const sound = (seconds: number) => ({
      type: 'input_audio',
      input_audio: { data: 'A'.repeat(Math.ceil((seconds * 48_000 * 4) / 3)), format: 'wav' },
    })
    expect(estimateInputTokens(content(sound(10))).tokens).toBe(3 + 4 + 200)
    expect(estimateInputTokens(content(sound(10))).atMost.audio).toBe(60 * 32)
  })

  it('are those of everything that OpenAI does not document too', () => {
    const messages = [{ role: 'user' as const, content: 'hello' }]
    const plain = estimateInputTokens({ model: 'm', messages })
    const documents = [{ text: 'word '.repeat(500) }]
    const more = estimateInputTokens({ model: 'm', messages, documents, temperature: 0.3, metadata: { a: 'b' } })
    expect(more.tokens).toBeGreaterThan(plain.tokens + 400)
    expect(more.atMost.text).toBeGreaterThan(plain.atMost.text + 500)
  })

  it('have room for what a model puts around each of several inputs', () => {
    const many = estimateInputTokens({ model: 'm', input: Array.from({ length: 100 }, () => 'hi') })
    // A word and two marks each.
    expect(many.atMost.text).toBeGreaterThanOrEqual(300)
    expect(many.tokens).toBeLessThan(200)
  })

  it('are those of a file or an image too that has a text beside it, and of what is written in a document', () => {
    const atMost = (part: object) =>
      Object.values(
        estimateInputTokens({ model: 'm', messages: [{ role: 'user', content: [part] }] } as never, 'm').atMost,
      ).reduce((sum, tokens) => sum + tokens, 0)
    const file = { type: 'file', file: { file_data: `data:application/pdf;base64,${'A'.repeat(100_000)}` } }
    const image = { type: 'image_url', image_url: { url: 'https://example.com/a.png' } }
    for (const part of [file, image]) expect(atMost({ ...part, text: '' })).toBeGreaterThanOrEqual(atMost(part))
    const text = 'word '.repeat(100_000)
    expect(atMost({ type: 'document', document: { source: { text } } })).toBeGreaterThan(100_000)
    // In whatever order its members come.
    expect(atMost({ document: { source: { text } }, type: 'document' })).toBeGreaterThan(100_000)
    expect(atMost({ type: 'other', text: '', more: text })).toBeGreaterThan(100_000)
  })

  it('leave out what is for the gateway, and count what a provider may read', () => {
    const said = { model: 'm', messages: [{ role: 'user', content: 'Hi' }] }
    const of = (members: object) => estimateInputTokens({ ...said, ...members } as never, 'm').tokens
    const text = 'word '.repeat(1000)
    expect(of({ litellm_metadata: { text }, fallbacks: [text], tags: [text], mock_response: text })).toBe(of({}))
    expect(of({ documents: [text] })).toBeGreaterThan(of({}) + 500)
  })

  it('say where something has no size that can be seen', () => {
    const inline = { type: 'file', file: { file_data: `data:application/pdf;base64,${'A'.repeat(4000)}` } }
    expect(estimateInputTokens(content(inline))).toMatchObject({ isBounded: true, atMost: { file: 14_000 } })
    for (const file of [{ file_id: 'file-1' }, { file_data: 'https://x.test/a.pdf' }]) {
      const seen = estimateInputTokens(content({ type: 'file', file }))
      expect(seen).toMatchObject({ isBounded: false, atMost: { file: 50_000 } })
    }
  })

  it.each([
    ['a part', content({ ...text, cache_control: { type: 'ephemeral', ttl: '1h' } })],
    [
      'a message',
      chat({ messages: [{ role: 'user', content: 'Hi', cache_control: { type: 'ephemeral', ttl: '1h' } }] }),
    ],
    [
      'a tool',
      chat({ tools: [{ type: 'function', function: { name: 'a' }, cache_control: { type: 'ephemeral', ttl: '1h' } }] }),
    ],
    ['the request', chat({ cache_control: { type: 'ephemeral', ttl: '1h' } })],
  ])('see that %s asks for an hour of cache', (_where, request) => {
    expect(estimateInputTokens(request).cachesForAnHour).toBe(true)
  })

  it('see no hour of cache where five minutes are asked for', () => {
    expect(estimateInputTokens(content({ ...text, cache_control: { type: 'ephemeral' } })).cachesForAnHour).toBe(false)
  })

  it('survive what is nested deeper than any schema', () => {
    let schema: Record<string, unknown> = {}
    for (let depth = 0; depth < 50_000; depth++) schema = { schema }
    const tool = { type: 'function', function: { name: 'a', parameters: schema } }
    expect(estimateInputTokens({ model: 'm', messages: [], tools: [tool] }).isBounded).toBe(false)
  })
})

describe('an estimator of one call', () => {
  const picture = { type: 'image_url' as const, image_url: { url: 'https://example.test/a.png' } }
  const request = ChatRequest.parse({ model: 'm', messages: [{ role: 'user', content: [picture] }] })

  it('reads a prompt once that goes to several models', () => {
    const estimate = createInputEstimator()
    const first = estimate(request, 'one')
    expect(estimate({ ...request, max_tokens: 5 }, 'two')).toBe(first)
  })

  it('reads it again for a model that reads it otherwise, and where the prompt is another', () => {
    const estimate = createInputEstimator()
    const longer: EstimatedRequest = { ...request, messages: [...request.messages, ...request.messages] }
    const questions: readonly (readonly [EstimatedRequest, string])[] = [
      [request, 'one'],
      [request, 'gpt-4o-mini'],
      [longer, 'gpt-4o-mini'],
      [{ ...longer, tools: [] }, 'one'],
      [{ ...longer, documents: ['one', 'two'] }, 'one'],
    ]
    for (const [asked, model] of questions) expect(estimate(asked, model)).toEqual(estimateInputTokens(asked, model))
  })
})

it('counts a text as if it were the first one, whatever was counted before', () => {
  const text = `${'word '.repeat(20)}X`
  const first = estimateTextTokens(text)
  estimateTextTokens('x'.repeat(5_000))
  expect(estimateTextTokens(text)).toEqual(first)
  // Longer texts, and those that are no ASCII, are counted elsewhere.
  expect(estimateTextTokens(text.repeat(300)).atMost).toBeGreaterThan(300 * (first.atMost - 2))
  expect(estimateTextTokens(`${text}é`).atMost).toBeGreaterThan(first.atMost - 1)
})
