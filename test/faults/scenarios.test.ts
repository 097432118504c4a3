import { describe, expect, it } from 'vitest'
import type { ScriptedAnswer } from '../../src/testing/index.js'
import { FakeClock } from '../support/fake-clock.js'
import { expectNothingUnhandled } from './faulty-host.js'
import {
  type Behaviour,
  type Scenario,
  type ScenarioOptions,
  always,
  answerText,
  begunIn,
  dialects,
  expectExplicitError,
  expectWhole,
  once,
  question,
  withScenario,
} from './scenario-lab.js'

// The sixteen faults by which gateways are compared, each against every dialect, with bytes as they come and with
// bytes that are cut inside of characters and of lines. Limits are shorter than in production, the rules are the same.

expectNothingUnhandled()

const shapes = [
  ['whole events', ''],
  ['cut inside of characters and lines', 'bytes-29+crlf+comments'],
] as const
const kinds = [
  ['stream', true],
  ['whole answer', false],
] as const
const limitMs = 250
// What a crowded machine may add to a limit; without the limit it would be minutes.
const slackMs = 2_500
/** In dollars per million tokens; a word is a token. */
const prices = { input: 1, output: 2 }
const two = { first: 'main', second: 'main', spare: 'spare' }

const cells = dialects.flatMap((dialect) => shapes.map(([name, shape]) => [dialect, name, shape] as const))

describe.each(cells)('%s, %s', (dialect, _name, shape) => {
  const scenario = (
    own: Omit<ScenarioOptions, 'dialect' | 'shape'>,
    run: Parameters<typeof withScenario>[1],
  ): Promise<void> => withScenario({ dialect, shape, ...own }, run)

  describe.concurrent.each(kinds)('%s', (_kind, stream) => {
    // The headers of a stream leave before its end.
    const answered = stream ? 'running' : 'answered'

    it('S01: waits as long as a 429 asks before it asks the same deployment again', () =>
      scenario(
        { behaviours: { primary: once('status-429+retry-after-1') }, routing: { fallbacks: {} } },
        async (lab) => {
          const outcome = await lab.ask(stream)
          expectWhole(outcome)
          expect(outcome.trail).toEqual(['primary first failed 429', `primary retry ${answered}`])
          const [first = 0, second = 0] = lab.askedAt
          expect(second - first).toBeGreaterThanOrEqual(990)
        },
      ))

    it('S01: asks another deployment at once after a 429', () =>
      scenario({ behaviours: { first: always('status-429+retry-after-2') }, deployments: two }, async (lab) => {
        const outcome = await lab.ask(stream)
        expectWhole(outcome)
        expect(outcome.trail).toEqual(['first first failed 429', `second reroute ${answered}`])
        // It rests: the next call does not even try it.
        expectWhole(await lab.ask(stream))
        expect(lab.asked).toEqual(['first', 'second', 'second'])
      }))

    it('S02: gives up on a deployment that is always at its limit, and the fallback answers', () =>
      scenario({ behaviours: { primary: always('status-429') } }, async (lab) => {
        const outcome = await lab.ask(stream)
        expectWhole(outcome)
        expect(outcome.headers['x-sluice-fallback']).toBe('spare')
        expect(lab.asked.filter((id) => id === 'primary').length).toBeLessThanOrEqual(4)
        expect(lab.asked.at(-1)).toBe('spare')
      }))

    it.each([
      [0, 120],
      [0.99, 240],
    ])('S02: waits with jitter where nothing can take over (%d)', (dice, leastMs) =>
      scenario(
        { behaviours: { primary: always('status-429') }, routing: { fallbacks: {} }, gateway: { random: () => dice } },
        async (lab) => {
          const outcome = await lab.ask(stream)
          expectExplicitError(outcome, { code: 'rate_limit_exceeded' })
          expect(outcome.status).toBe(429)
          expect(lab.asked).toEqual(['primary', 'primary', 'primary'])
          const [first = 0, second = 0, third = 0] = lab.askedAt
          expect(second - first).toBeGreaterThanOrEqual(leastMs)
          expect(third - second).toBeGreaterThanOrEqual(2 * leastMs)
        },
      ),
    )

    it('S03: asks the same deployment again after one 500', () =>
      scenario({ behaviours: { primary: once('status-500') } }, async (lab) => {
        const outcome = await lab.ask(stream)
        expectWhole(outcome)
        expect(outcome.trail).toEqual(['primary first failed 502', `primary retry ${answered}`])
        expect(lab.asked).toEqual(['primary', 'primary'])
      }))

    it('S04: makes few attempts at a deployment that is down, and the fallback answers', () =>
      scenario({ behaviours: { primary: always('status-503') } }, async (lab) => {
        const outcome = await lab.ask(stream)
        expectWhole(outcome)
        expect(lab.asked).toEqual(['primary', 'primary', 'primary', 'spare'])
        expect(outcome.headers).toMatchObject({ 'x-sluice-attempts': '4', 'x-sluice-fallback': 'spare' })
      }))

    it('S05: survives a connection that is reset before the headers', () =>
      scenario({ behaviours: { primary: once('reset') } }, async (lab) => {
        expectWhole(await lab.ask(stream))
        expect(lab.asked).toEqual(['primary', 'primary'])
      }))

    it('S05: goes to the fallback where every connection is reset', () =>
      scenario({ behaviours: { primary: always('reset') } }, async (lab) => {
        expectWhole(await lab.ask(stream))
        expect(lab.asked).toEqual(['primary', 'primary', 'primary', 'spare'])
      }))

    it('S06: makes one attempt at a deployment that never answers, and the fallback answers at the limit', () =>
      scenario({ behaviours: { primary: always('hang') }, timeouts: { headers: limitMs } }, async (lab) => {
        expectWhole(await lab.ask(stream))
        expect(lab.asked).toEqual(['primary', 'spare'])
        expectBetween(lab)
      }))

    it('S12: makes one attempt with a prompt that is too long, then asks the larger model', () =>
      scenario(
        {
          behaviours: { primary: always('context-window') },
          routing: { contextWindowFallbacks: { main: ['spare'] }, fallbacks: {} },
        },
        async (lab) => {
          expectWhole(await lab.ask(stream))
          expect(lab.asked).toEqual(['primary', 'spare'])
        },
      ))

    it('S12: tells the caller that the prompt is too long where no larger model is configured', () =>
      scenario(
        { behaviours: { first: always('context-window') }, deployments: two, routing: { fallbacks: {} } },
        async (lab) => {
          const outcome = await lab.ask(stream)
          expect(outcome.status).toBe(400)
          expectExplicitError(outcome, {
            code: 'context_length_exceeded',
            message: expect.stringContaining('maximum context length'),
          })
          expect(lab.asked).toEqual(['first'])
        },
      ))

    it('S13: neither repeats a refusal for its content nor routes around it, and tells the reason', () =>
      scenario({ behaviours: { first: always('content-policy') }, deployments: two }, async (lab) => {
        const outcome = await lab.ask(stream)
        expect(outcome.status).toBe(400)
        expectExplicitError(outcome, { code: 'content_policy_violation' })
        expect(outcome.error?.['message']).toContain('rejected by our safety system')
        expect(lab.asked).toEqual(['first'])
        // The deployment did nothing wrong.
        await lab.ask(stream)
        expect(lab.asked).toEqual(['first', 'first'])
      }))

    it('S16: names the model that answered, and bills the failed attempt with nothing', () =>
      scenario({ behaviours: { primary: always('status-503') }, model: { prices } }, async (lab) => {
        const outcome = await lab.ask(stream)
        expectWhole(outcome)
        expect(outcome.model).toBe('spare')
        expect(outcome.headers).toMatchObject({ 'x-sluice-deployment': 'spare', 'x-sluice-fallback': 'spare' })
        const words = question.split(' ').length
        expect(outcome.usage).toMatchObject({ prompt_tokens: words, completion_tokens: words + 2 })
        const bill = await lab.bill()
        expect(bill.map(({ deployment }) => deployment)).toEqual(['spare'])
        expect(bill[0]?.cost).toBe(BigInt(words * 1_000_000 + (words + 2) * 2_000_000))
      }))

    it('a refusal that is a usage limit counts as a 429: another deployment answers, and this one rests', () =>
      scenario({ behaviours: { first: always('usage-limit') }, deployments: two }, async (lab) => {
        expectWhole(await lab.ask(stream))
        expectWhole(await lab.ask(stream))
        expect(lab.asked).toEqual(['first', 'second', 'second'])
      }))

    it('an error inside a 200 is an error: another deployment answers', () =>
      scenario({ behaviours: { first: always('error-in-200') }, deployments: two }, async (lab) => {
        expectWhole(await lab.ask(stream))
        expect(lab.asked).toEqual(['first', 'second'])
      }))
  })

  describe.concurrent('stream', () => {
    it('S07: goes on at the limit for the first token of a deployment that sent headers', () =>
      scenario(
        { behaviours: { primary: always('first-token-20000ms') }, timeouts: { firstToken: limitMs } },
        async (lab) => {
          expectWhole(await lab.ask(true))
          expect(lab.asked).toEqual(['primary', 'spare'])
          expectBetween(lab)
        },
      ))

    it.each([
      ['S08: cut after 40 of 60 tokens', 'cut-40', 'upstream_connection_error'],
      ['S09: stalled after 40 of 60 tokens', 'stall-40', 'idle_timeout'],
      ['an error after 40 of 60 tokens', 'error-mid-stream-40', undefined],
      ['ended without a finish reason', 'no-finish+no-done', 'upstream_stream_truncated'],
    ])('%s is an explicit error, never a truncated success', (_, fault, code) =>
      scenario({ behaviours: { primary: always(fault) }, timeouts: limitsFor(fault) }, async (lab) => {
        const outcome = await lab.ask(true)
        expect(outcome.status).toBe(200)
        expectExplicitError(outcome, { message: expect.any(String), ...(code && { code }) })
        expect(outcome.text).not.toBe('')
        expect(lab.asked).toEqual(['primary'])
      }),
    )

    it.each(
      (['restart', 'continue'] as const).flatMap((midStream) =>
        ['cut-40', 'stall-40', 'error-mid-stream-40'].map((fault) => [midStream, fault] as const),
      ),
    )('S08, S09: with %s, an answer with %s is completed', (midStream, fault) =>
      scenario(
        {
          behaviours: { primary: always(fault), spare: rest },
          model: { capabilities: { assistantPrefill: true } },
          timeouts: limitsFor(fault),
          gateway: { retries: 0 },
          routing: { midStream, fallbacks: { main: ['spare'] } },
        },
        async (lab) => {
          expectWhole(await lab.ask(true))
          expect(lab.asked).toEqual(['primary', 'spare'])
        },
      ),
    )

    it('S11: finishes a stream without a terminator that ends, with its usage', () =>
      scenario({ behaviours: { primary: always('no-done') } }, async (lab) => {
        expectWhole(await lab.ask(true))
        expect(lab.asked).toEqual(['primary'])
      }))

    it('S11: finishes a stream without a terminator that stays open, with its usage', () =>
      scenario(
        { behaviours: { primary: always('no-done+keep-open') }, gateway: { timeouts: { idle: 60_000 } } },
        async (lab) => {
          const startedAt = performance.now()
          expectWhole(await lab.ask(true))
          expect(performance.now() - startedAt).toBeLessThan(8_000)
          expect(lab.asked).toEqual(['primary'])
        },
      ))

    it('S14: hides from the caller that a fallback refuses the beginning of an answer', () =>
      scenario(
        {
          behaviours: { primary: always('cut-40'), spare: refusesPrefill },
          model: { capabilities: { assistantPrefill: true } },
          gateway: { retries: 0 },
          routing: { midStream: 'continue', fallbacks: { main: ['spare'] } },
        },
        async (lab) => {
          expectWhole(await lab.ask(true))
          expect(new Set(lab.asked)).toEqual(new Set(['primary', 'spare']))
        },
      ))
  })

  describe.concurrent('whole answer', () => {
    it.each([
      ['S08: cut in its middle', 'cut-40'],
      ['S09: stalled in its middle', 'stall-40'],
      ['S10: that is broken JSON', 'malformed-1'],
    ])('%s is asked for again', (_, fault) =>
      scenario({ behaviours: { first: once(fault) }, deployments: two, timeouts: limitsFor(fault) }, async (lab) => {
        expectWhole(await lab.ask(false))
        expect(lab.asked).toEqual(['first', 'second'])
      }),
    )
  })

  it('S10: skips one malformed event and finishes in place', () =>
    scenario({ behaviours: { primary: always('malformed-20') } }, async (lab) => {
      const outcome = await lab.ask(true)
      const words = answerText.split(' ')
      const without = words.map((_, left) => words.filter((_word, at) => at !== left).join(' '))
      expect(without).toContain(outcome.text)
      expectWhole(outcome, outcome.text)
      expect(lab.asked).toEqual(['primary'])
    }))
})

describe('S15: a deployment that is down for a minute', () => {
  it('loses no call, is tried once per cooldown, and serves again right after it', async () => {
    const clock = new FakeClock()
    const startedAt = clock.now()
    const seconds = (): number => (clock.now() - startedAt) / 1_000
    const tried: number[] = []
    const cooldowns: number[] = []
    const flaps: Behaviour = () => {
      tried.push(seconds())
      return seconds() < 60 ? { status: 503 } : undefined
    }
    const options: ScenarioOptions = {
      dialect: 'openai',
      behaviours: { first: flaps },
      deployments: two,
      gateway: { clock, onEvent: ({ type }) => type === 'cooldown' && cooldowns.push(seconds()) },
    }
    await withScenario(options, async (lab) => {
      const servedBy = new Map<number, (string | undefined)[]>()
      for (let round = 0; round < 45; round += 1) {
        const outcomes = await Promise.all([0, 1, 2, 3].map((at) => lab.ask(at % 2 === 0)))
        for (const outcome of outcomes) expectWhole(outcome)
        servedBy.set(
          seconds(),
          outcomes.map(({ headers }) => headers['x-sluice-deployment']),
        )
        clock.advance(2_000)
      }
      const [rested = 0] = cooldowns
      const probes = tried.filter((at) => at > rested && at < 60)
      expect(cooldowns.length).toBeGreaterThan(5)
      expect(probes.length).toBeGreaterThan(5)
      // Every probe begins a rest of 5 s, although four calls at a time could probe.
      expect(probes).toEqual(cooldowns.slice(1))
      for (const [at, probe] of probes.entries()) expect(probe - (probes[at - 1] ?? rested)).toBeGreaterThanOrEqual(5)
      const healthy = [...servedBy].filter(([at]) => at >= 66)
      expect(healthy.length).toBeGreaterThan(5)
      for (const [, ids] of healthy) expect(ids).toEqual(['first', 'first', 'first', 'first'])
    })
  })
})

/** A limit that only a stall can meet, not what a busy machine makes of another fault. */
function limitsFor(fault: string): ScenarioOptions['timeouts'] {
  return fault.startsWith('stall') ? { idle: limitMs } : undefined
}

/** The second attempt began when the first had had its time, and not much later. */
function expectBetween({ startedAt, askedAt: [, second = 0] }: Scenario): void {
  expect(second - startedAt).toBeGreaterThanOrEqual(limitMs - 5)
  expect(second - startedAt).toBeLessThan(limitMs + slackMs)
}

/** A model continues what it is given. */
const rest: Behaviour = (_, request) => {
  const begun = begunIn(request)
  return begun === '' ? undefined : { content: { text: answerText.slice(begun.length) } }
}

const refusesPrefill: Behaviour = (_, request): ScriptedAnswer | undefined =>
  begunIn(request) === '' ? undefined : { status: 400 }
