import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { GatewayError } from '../../src/errors.js'
import { guardrailsHeader } from '../../src/guardrails/index.js'
import { CompletionChunk } from '../../src/wire/completions.js'
import { ada, argumentsOf, ask, chunk, completion, contentOf, createLab, guarded, through } from './lab.js'
import { cutAt } from './scan.js'

const pii = { name: 'pii', type: 'pii' } as const
const words = { name: 'words', type: 'words', words: ['project x', 'dammit'] } as const
const mail = 'ada@example.com'

async function failureOf(work: Promise<unknown>): Promise<GatewayError> {
  const thrown = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  if (!GatewayError.isInstance(thrown)) throw new Error('It did not fail as expected.')
  return thrown
}

describe('which guardrails take part', () => {
  it('none where none is on: no object, no work', () => {
    const { begin } = createLab([{ ...pii, defaultOn: false }])
    expect(begin(ask(mail))).toBeUndefined()
  })

  it('those that the request or the caller names, and those that are on by default', async () => {
    const { begin } = createLab([{ ...pii, defaultOn: false }, words])
    expect((await begin(ask(mail))?.pre())?.messages[0]?.content).toBe(mail)
    expect((await begin(ask(mail, { guardrails: ['pii'] }))?.pre())?.messages[0]?.content).toBe('[EMAIL_1]')
    expect((await begin(ask(mail, { metadata: { guardrails: ['pii'] } }))?.pre())?.messages[0]?.content).toBe(
      '[EMAIL_1]',
    )
    const strict = { ...ada, metadata: { guardrails: ['pii'] } }
    const call = guarded(begin(ask(mail), strict))
    expect((await call.pre()).messages[0]?.content).toBe('[EMAIL_1]')
    expect(guardrailsHeader(call.verdicts)).toBe('pii=masked, words=passed')
  })

  it('a request cannot turn one off, a caller can be spared', () => {
    const { begin } = createLab([pii])
    expect(begin(ask('x', { disable_global_guardrails: true, guardrails: [] }))).toBeDefined()
    expect(begin(ask('x'), { ...ada, metadata: { disable_global_guardrails: true } })).toBeUndefined()
  })

  it('a name that does not exist is a 400 of the request, and never let pass for a caller', () => {
    const { begin } = createLab([pii])
    expect(() => begin(ask('x', { guardrails: ['none'] }))).toThrow(
      expect.objectContaining({ status: 400, param: 'guardrails' }),
    )
    expect(() => begin(ask('x', { guardrails: 7 }))).toThrow(expect.objectContaining({ status: 400 }))
    expect(() => begin(ask('x'), { ...ada, metadata: { guardrails: ['none'] } })).toThrow(
      expect.objectContaining({ status: 500 }),
    )
  })
})

describe('a refusal', () => {
  it("is a 400 of OpenAI's shape that names the guardrail and never the text, and harms no deployment", async () => {
    const { begin } = createLab([words])
    const call = guarded(begin(ask('About Project\nX please')))
    const error = await failureOf(call.pre())
    expect(error.status).toBe(400)
    expect(error.toBody()).toEqual({
      error: {
        message: 'The guardrail words refused the request: it contains what counts as banned_word.',
        type: 'invalid_request_error',
        param: null,
        code: 'guardrail_refused',
      },
    })
    expect(error.rule).toMatchObject({ retry: false, reroute: false, unhealthy: false })
    expect(call.verdicts).toEqual([
      {
        guardrail: 'words',
        type: 'words',
        mode: 'pre_call',
        outcome: 'refused',
        counts: { banned_word: 1 },
        durationMs: 0,
      },
    ])
    expect(error.headers).toEqual({ 'x-sluice-guardrails': 'words=refused' })
    expect(JSON.stringify([error.toBody(), call.verdicts])).not.toMatch(/project/i)
  })

  it('ends a stream at the match, with nothing of it given', async () => {
    const { begin } = createLab([{ ...words, mode: 'post_call' }])
    const stage = guarded(begin(ask('x'))).stream()
    const given = [...(stage?.push(chunk({ content: 'we know of proj' })) ?? [])]
    expect(contentOf(given)).toBe('we know of ')
    expect(() => stage?.push(chunk({ content: 'ect x, ' }))).toThrow(
      expect.objectContaining({ code: 'guardrail_refused' }),
    )
  })
})

describe('reversible masking', () => {
  it('hides values of every text from the provider and shows them in the answer', async () => {
    const { begin } = createLab([pii])
    const request = {
      model: 'm',
      messages: [
        { role: 'system' as const, content: `Be kind. ${mail}` },
        { role: 'user' as const, content: [{ type: 'text' as const, text: `I am ${mail}, not bob@example.org` }] },
        {
          role: 'assistant' as const,
          content: null,
          tool_calls: [{ id: 't', function: { name: 'f', arguments: '{"to":"x\\nbob@example.org"}' } }],
        },
        { role: 'tool' as const, tool_call_id: 't', content: 'card 4111 1111 1111 1111' },
      ],
    }
    const call = guarded(begin(request))
    const asked = await call.pre()
    expect(JSON.stringify(asked)).not.toMatch(/example|4111/)
    expect(asked.messages.map((message) => message.content)).toEqual([
      'Be kind. [EMAIL_1]',
      [{ type: 'text', text: 'I am [EMAIL_1], not [EMAIL_2]' }],
      null,
      'card [CARD_1]',
    ])
    expect(JSON.stringify(request)).toContain(mail)
    const answer = completion({
      content: 'Dear [EMAIL_1] and [email_2], [EMAIL_3]',
      tool_calls: [{ id: 't', function: { name: 'f', arguments: '{"to":"[CARD_1]"}' } }],
    })
    const shown = await call.post(answer)
    expect(shown.choices[0]?.message.content).toBe('Dear ada@example.com and bob@example.org, [EMAIL_3]')
    expect(shown.choices[0]?.message.tool_calls?.[0]?.function?.arguments).toBe('{"to":"4111 1111 1111 1111"}')
  })

  it('writes what it shows as JSON writes it, in arguments and where JSON was asked for', async () => {
    const { begin } = createLab([pii])
    const key = '-----BEGIN PRIVATE KEY-----\nAB"C\n-----END PRIVATE KEY-----'
    const call = guarded(begin(ask(key, { response_format: { type: 'json_object' } })))
    expect((await call.pre()).messages[0]?.content).toBe('[PRIVATE_KEY_1]')
    const text = '{"key":"[PRIVATE_KEY_1]"}'
    const shown = await call.post(
      completion({ content: text, tool_calls: [{ id: 't', function: { name: 'f', arguments: text } }] }),
    )
    expect(JSON.parse(shown.choices[0]?.message.content ?? '')).toEqual({ key })
    expect(JSON.parse(shown.choices[0]?.message.tool_calls?.[0]?.function?.arguments ?? '')).toEqual({ key })
  })

  it('takes no placeholder that the request has itself', async () => {
    const { begin } = createLab([pii])
    const call = guarded(begin(ask(`[EMAIL_1] is ${mail}`)))
    expect((await call.pre()).messages[0]?.content).toBe('[EMAIL_1] is [EMAIL_2]')
    expect((await call.post(completion({ content: '[EMAIL_1] [EMAIL_2]' }))).choices[0]?.message.content).toBe(
      `[EMAIL_1] ${mail}`,
    )
  })

  it('shows values in streams however placeholders are cut, each choice and tool call on its own', async () => {
    const { begin } = createLab([pii])
    const call = guarded(begin(ask(`${mail} and bob@example.org`)))
    await call.pre()
    const content = 'Hi [EMAIL_1], [[EMAIL_2]] [EMAIL_ ok'
    const json = '{"a":"[EMAIL_1]","b":"[EMAIL_2]"}'
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 20 }), async (places) => {
        const chunks = [
          ...cutAt(content, places).flatMap((piece) => [chunk({ content: piece }), chunk({ content: piece }, null, 1)]),
          ...cutAt(json, places).map((piece) => chunk({ tool_calls: [{ index: 1, function: { arguments: piece } }] })),
          chunk({}, 'stop'),
        ]
        const given = await through(call.stream(), chunks)
        expect(contentOf(given)).toBe(`Hi ${mail}, [bob@example.org] [EMAIL_ ok`)
        expect(contentOf(given, 1)).toBe(contentOf(given))
        expect(argumentsOf(given, 1)).toBe(`{"a":"${mail}","b":"bob@example.org"}`)
        expect(given.findIndex((one) => one.choices[0]?.finish_reason === 'stop')).toBeGreaterThan(0)
      }),
      { numRuns: 200 },
    )
  })

  it('gives what it held back before the finish reason, not after it', async () => {
    const { begin } = createLab([pii])
    const call = guarded(begin(ask(mail)))
    await call.pre()
    const given = await through(call.stream(), [chunk({ content: 'see [EMAIL' }), chunk({}, 'stop')])
    expect(given.map(({ choices }) => [choices[0]?.delta.content, choices[0]?.finish_reason])).toEqual([
      ['see ', null],
      ['[EMAIL', null],
      [undefined, 'stop'],
    ])
  })

  it('hides a megabyte of addresses in a time that grows with it', async () => {
    const { begin } = createLab([pii])
    const text = Array.from({ length: 40_000 }, (_, i) => `u${i}@example.com `).join('')
    const startedAt = performance.now()
    const asked = await guarded(begin(ask(text))).pre()
    expect(performance.now() - startedAt).toBeLessThan(3_000)
    expect(asked.messages[0]?.content).toMatch(/\[EMAIL_40000\] $/)
  })

  it('lets no tokens pass unseen', async () => {
    const { guardrails } = createLab([pii])
    const facts = { callId: 'c', caller: ada }
    await expect(guardrails.begin('embeddings', { model: 'm', input: [[1, 2]] }, facts)?.pre()).rejects.toMatchObject({
      status: 400,
      param: 'input',
    })
    await expect(guardrails.begin('completions', { model: 'm', prompt: [1, 2] }, facts)?.pre()).rejects.toMatchObject({
      status: 400,
      param: 'prompt',
    })
    expect(await guardrails.begin('embeddings', { model: 'm', input: ['a', mail] }, facts)?.pre()).toMatchObject({
      input: ['a', '[EMAIL_1]'],
    })
    expect(await guardrails.begin('images', { model: 'm', prompt: mail }, facts)?.pre()).toMatchObject({
      prompt: '[EMAIL_1]',
    })
  })

  it('leaves answers alone where nothing was hidden', async () => {
    const { begin } = createLab([pii])
    const call = guarded(begin(ask('hello')))
    const request = ask('hello')
    expect(await call.pre()).toEqual(request)
    expect(call.guardsAnswer).toBe(false)
    expect(call.stream()).toBeUndefined()
    const answer = completion({ content: mail })
    expect(await call.post(answer)).toBe(answer)
  })
})

describe('a guarded answer', () => {
  it('is in a stream what it is as a whole, and its token probabilities are gone', async () => {
    const { begin } = createLab([
      { ...pii, mode: 'post_call' },
      { ...words, mode: 'post_call', action: 'mask' },
    ])
    const text = `Ask ${mail} or +49 30 1234567 about project x at 10.0.0.1.`
    const call = guarded(begin(ask('x')))
    const whole = await call.post(completion({ content: text }, { logprobs: { content: [{ token: mail }] } }))
    expect(whole.choices[0]?.message.content).toBe('Ask [EMAIL] or [PHONE] about [BANNED_WORD] at [IP].')
    expect(whole.choices[0]?.logprobs).toBeNull()
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(100), { maxLength: 20 }), async (places) => {
        const own = guarded(begin(ask('x')))
        const given = await through(own.stream(), [
          ...cutAt(text, places).map((content) => chunk({ content })),
          chunk({}, 'stop'),
        ])
        expect(contentOf(given)).toBe(whole.choices[0]?.message.content)
        expect(own.verdicts.map(({ outcome, counts }) => [outcome, counts])).toEqual([
          ['masked', { email: 1, phone: 1, ip: 1 }],
          ['masked', { banned_word: 1 }],
        ])
      }),
      { numRuns: 100 },
    )
  })

  it('finds words after escapes in the arguments of tools', async () => {
    const { begin } = createLab([{ ...words, mode: 'post_call', action: 'mask' }])
    const source = JSON.stringify({ a: 'x\nproject x', b: 'nproject x' })
    const answer = completion({ tool_calls: [{ id: 't', function: { name: 'f', arguments: source } }] })
    const guardedAnswer = await guarded(begin(ask('x'))).post(answer)
    expect(JSON.parse(guardedAnswer.choices[0]?.message.tool_calls?.[0]?.function?.arguments ?? '')).toEqual({
      a: 'x\n[BANNED_WORD]',
      b: 'nproject x',
    })
  })

  it('is also one of a text completion', async () => {
    const { guardrails } = createLab([{ ...pii, mode: ['pre_call', 'post_call'] }])
    const call = guardrails.begin('completions', { model: 'm', prompt: [mail] }, { callId: 'c', caller: ada })
    expect(await call?.pre()).toEqual({ model: 'm', prompt: ['[EMAIL_1]'] })
    const piece = (text: string, finish_reason: 'stop' | null = null) => ({
      id: 'c',
      object: 'text_completion' as const,
      created: 1,
      model: 'm',
      choices: [{ index: 0, text, logprobs: null, finish_reason }],
    })
    const stage = call?.stream()
    const given = [piece('[EMAIL_'), piece('1] bob@exa'), piece('mple.org'), piece('', 'stop')].flatMap((one) => [
      ...(stage?.push(one) ?? []),
    ])
    expect(given.map(({ choices }) => choices[0]?.text).join('')).toBe(`${mail} [EMAIL]`)
    expect(given.every((one) => CompletionChunk.safeParse(one).success)).toBe(true)
  })

  it('is refused where it is too long, in a stream as soon as it is', async () => {
    const { begin } = createLab([{ name: 'short', type: 'length', maxCharacters: 5, mode: 'post_call' }])
    expect((await failureOf(guarded(begin(ask('x'))).post(completion({ content: '123456' })))).code).toBe(
      'guardrail_refused',
    )
    const stage = guarded(begin(ask('x'))).stream()
    expect(stage?.push(chunk({ content: '12345' }))).toHaveLength(1)
    expect(() => stage?.push(chunk({ content: '6' }))).toThrow(/more than 5 characters/)
  })

  it('is held back where it can only be judged whole, and given as it came or as it was changed', async () => {
    const changing = {
      name: 'own',
      type: 'custom',
      mode: 'post_call',
      check: ({ texts }: { texts: readonly string[] }) => ({ texts: texts.map((text) => text.toUpperCase()) }),
    } as const
    const chunks = [
      chunk({ role: 'assistant', content: '' }),
      chunk({ content: 'ab' }),
      chunk({ content: 'cd' }),
      chunk({}, 'stop'),
    ]
    const stage = guarded(createLab([changing]).begin(ask('x'))).stream()
    expect(chunks.flatMap((one) => [...(stage?.push(one) ?? [])])).toEqual([])
    expect((await stage?.end())?.map(({ choices }) => choices[0]?.delta.content)).toEqual(['', 'ABCD', '', undefined])
    const passing = { ...changing, check: () => undefined }
    expect(await through(guarded(createLab([passing]).begin(ask('x'))).stream(), chunks)).toEqual(chunks)
    const refusing = { ...changing, check: () => ({ refuse: 'no capitals' }) }
    const error = await failureOf(through(guarded(createLab([refusing]).begin(ask('x'))).stream(), chunks))
    expect(error.message).toBe('The guardrail own refused the answer: no capitals.')
  })

  it('must fit the schema that the request asked for', async () => {
    const { begin } = createLab([{ name: 'shape', type: 'json_schema' }])
    const schema = {
      type: 'object',
      properties: { n: { type: 'integer' } },
      required: ['n'],
      additionalProperties: false,
    }
    const request = ask('x', { response_format: { type: 'json_schema', json_schema: { name: 's', schema } } })
    const [fitting, free] = [completion({ content: '{"n":1}' }), completion({ content: 'free' })]
    expect(await guarded(begin(request)).post(fitting)).toBe(fitting)
    expect(await guarded(begin(ask('x'))).post(free)).toBe(free)
    const call = guarded(begin(request))
    expect((await failureOf(call.post(completion({ content: '{"n":"1"}' })))).code).toBe('guardrail_refused')
    expect(call.verdicts[0]?.reason).toBe('$.n')
    expect(
      (await failureOf(through(guarded(begin(request)).stream(), [chunk({ content: '{"n":' }), chunk({}, 'stop')])))
        .code,
    ).toBe('guardrail_refused')
  })
})

describe('a guardrail that only logs', () => {
  it('changes nothing, holds nothing back, and tells what it found', async () => {
    const { begin } = createLab([
      { ...words, mode: 'logging_only' },
      { ...pii, name: 'p', mode: 'logging_only' },
    ])
    const call = guarded(begin(ask(`dammit ${mail}`)))
    expect((await call.pre()).messages[0]?.content).toBe(`dammit ${mail}`)
    const stage = call.stream()
    const one = chunk({ content: 'damm' })
    expect(stage?.push(one)).toEqual([one])
    const two = chunk({ content: 'it' }, 'stop')
    expect(stage?.push(two)).toEqual([two])
    expect(await stage?.end()).toEqual([])
    await call.settled()
    expect(call.verdicts.map(({ guardrail, outcome, counts }) => [guardrail, outcome, counts])).toEqual([
      ['words', 'flagged', { banned_word: 1 }],
      ['p', 'flagged', { email: 1 }],
      ['words', 'flagged', { banned_word: 1 }],
      ['p', 'passed', {}],
    ])
  })
})

describe('a guardrail that cannot tell', () => {
  const hanging = {
    name: 'slow',
    type: 'custom',
    deadlineMs: 1_000,
    check: () => new Promise<never>(() => {}),
  } as const

  it('fails the call with a 503 after its deadline', async () => {
    const { begin, clock, logged } = createLab([hanging])
    const call = guarded(begin(ask('x')))
    const failing = failureOf(call.pre())
    await Promise.resolve()
    clock.advance(1_000)
    expect(await failing).toMatchObject({ status: 503, code: 'guardrail_unavailable' })
    expect(call.verdicts[0]).toMatchObject({ outcome: 'failed', durationMs: 1_000 })
    expect(logged).toHaveLength(1)
    expect(clock.pending).toBe(0)
  })

  it('lets pass where it may, also what throws', async () => {
    const throwing = { ...hanging, fail: 'open', check: () => Promise.reject(new Error('down')) } as const
    const { begin } = createLab([throwing])
    const call = guarded(begin(ask('x')))
    expect(await call.pre()).toEqual(ask('x'))
    expect(guardrailsHeader(call.verdicts)).toBe('slow=failed')
  })

  it('is left where the client leaves', async () => {
    const signals: AbortSignal[] = []
    const { begin, clock } = createLab([
      { ...hanging, check: (_, signal) => (signals.push(signal), new Promise<never>(() => {})) },
    ])
    const client = new AbortController()
    const failing = failureOf(guarded(begin(ask('x'))).pre(client.signal))
    await new Promise((resolve) => setImmediate(resolve))
    client.abort()
    await failing
    expect(signals[0]?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('guardrails beside the call', () => {
  it('run at the same time and refuse', async () => {
    const started: string[] = []
    const own = (name: string, refuse?: string) =>
      ({
        name,
        type: 'custom',
        mode: 'during_call',
        check: async () => (started.push(name), refuse === undefined ? undefined : { refuse }),
      }) as const
    const { begin } = createLab([own('a'), own('b', 'no')])
    const call = guarded(begin(ask('x')))
    await call.pre()
    expect(started).toEqual([])
    expect(call.hasDuring).toBe(true)
    expect((await failureOf(call.during())).message).toBe('The guardrail b refused the request: no.')
    expect(started).toEqual(['a', 'b'])
  })

  it('hide nothing, and say so', async () => {
    const { begin } = createLab([{ ...pii, mode: 'during_call' }])
    const call = guarded(begin(ask(mail)))
    expect(await call.pre()).toEqual(ask(mail))
    await call.during()
    expect(call.verdicts).toMatchObject([{ mode: 'during_call', outcome: 'flagged', counts: { email: 1 } }])
  })

  it('asks the moderation of the gateway', async () => {
    const asked: string[] = []
    const moderate = async ({ text }: { readonly text: string }) => (
      asked.push(text),
      { flagged: text.includes('bad'), categories: { hate: text.includes('bad'), other: true } }
    )
    const { begin } = createLab(
      [
        { name: 'mod', type: 'moderation', model: 'm', mode: 'during_call' },
        { name: 'hate', type: 'moderation', model: 'm', categories: ['hate'] },
      ],
      { moderate },
    )
    const good = guarded(begin(ask('good')))
    await good.pre()
    await good.during()
    const bad = guarded(begin(ask('bad')))
    expect((await failureOf(bad.pre())).message).toBe(
      'The guardrail hate refused the request: moderation has flagged it.',
    )
    expect(asked).toEqual(['good', 'good', 'bad'])
    expect(() => createLab([{ name: 'mod', type: 'moderation', model: 'm' }])).toThrow(/needs a model/)
  })
})
