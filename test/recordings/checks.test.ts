import { describe, expect, it } from 'vitest'
import { checkReplayed, replayKey, type Replayed } from './checks.js'
import type { Exchange } from './exchange.js'
import type { Replay } from './scope.js'

const answer = {
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [
    { index: 0, finish_reason: 'stop', logprobs: null, message: { role: 'assistant', content: 'hi', refusal: null } },
  ],
  usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
}
const request = { model: 'm', messages: [{ role: 'user', content: 'hello' }] }
const replay: Replay = { dialect: 'openai', operation: 'chat', provider: 'openai' }

function recorded(status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): Exchange {
  return {
    entry: {
      id: 'x',
      file: '',
      provider: 'openai',
      api: 'openai.chat',
      model: 'm',
      features: [],
      status,
      format: 'json',
    },
    request: { url: 'https://api.openai.com/v1/chat/completions', body: request },
    response: { status, headers, format: 'json', text: JSON.stringify(body) },
  }
}

const right: Replayed = {
  exchange: recorded(200, answer),
  replay,
  asked: request,
  sent: [{ path: '/chat/completions', headers: {}, body: request }],
  received: { status: 200, headers: {}, text: JSON.stringify(answer) },
}
const got = (body: unknown, status = 200): Pick<Replayed, 'received'> => ({
  received: { status, headers: {}, text: JSON.stringify(body) },
})
const sent = (body: unknown, path = '/chat/completions'): Pick<Replayed, 'sent'> => ({
  sent: [{ path, headers: {}, body }],
})
const [choice] = answer.choices
const error = { message: 'slow down', type: 'rate_limit_error', param: null, code: null }
const limited = recorded(429, { error }, { 'retry-after': '7' })

describe('the checks of a replayed exchange', () => {
  it('find nothing where all is right', () => {
    expect(checkReplayed(right)).toEqual({ problems: [], excused: [] })
    const received = { status: 429, headers: { 'retry-after': '7' }, text: JSON.stringify({ error }) }
    expect(checkReplayed({ ...right, exchange: limited, received }).problems).toEqual([])
  })

  it.each<readonly [string, Partial<Replayed>]>([
    ['a parameter that was not sent', sent({ ...request, messages: [] })],
    ['a parameter that nobody asked for', sent({ ...request, seed: 1 })],
    ['a value that was changed', sent({ ...request, model: 'other' })],
    ['another path', sent(request, '/embeddings')],
    ['a second attempt', { sent: [...right.sent, ...right.sent] }],
    ['a refusal of what the provider took', { sent: [], ...got({ error }, 400) }],
    ['another text', got({ ...answer, choices: [{ ...choice, message: { ...choice?.message, content: 'ho' } }] })],
    ['another finish reason', got({ ...answer, choices: [{ ...choice, finish_reason: 'length' }] })],
    ['a lost choice', got({ ...answer, choices: [] })],
    ['a sum that is wrong', got({ ...answer, usage: { ...answer.usage, completion_tokens: 3 } })],
    ['tokens that nobody used', got({ ...answer, usage: { prompt_tokens: 2, completion_tokens: 1, total_tokens: 3 } })],
    ['lost usage', got({ ...answer, usage: undefined })],
    ['a shape that is not OpenAI’s', got({ ...answer, object: 'message' })],
    ['an answer where the provider failed', { exchange: recorded(500, { error: { message: 'no' } }) }],
    ['another class of status', { exchange: limited, ...got({ error }, 500) }],
    ['a lost message', { exchange: limited, ...got({ error: { ...error, message: 'no' } }, 429) }],
    ['a lost retry-after', { exchange: limited, ...got({ error }, 429) }],
    ['the key in an answer', got({ ...answer, note: replayKey })],
  ])('find %s', (_name, change) => {
    expect(checkReplayed({ ...right, ...change }).problems).not.toEqual([])
  })
})
