import { describe, expect, it } from 'vitest'
import { petalsProtocol } from '../../../src/protocols/petals/index.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'

const completions = codecIn(petalsProtocol, 'completions')
const chat = codecIn(petalsProtocol, 'chat')

const form = (fields: object) => {
  const { sent } = encode(completions, 'completions', { ...fields }, { model: 'meta-llama/Llama-2-70b-chat-hf' })
  expect(sent.headers['content-type']).toBe('application/x-www-form-urlencoded')
  return Object.fromEntries(new URLSearchParams(String(sent.body)))
}

describe('a Petals server', () => {
  it('gets a form, never JSON', () => {
    expect(form({ prompt: 'a & b', max_tokens: 5, temperature: 0.5 })).toEqual({
      model: 'meta-llama/Llama-2-70b-chat-hf',
      inputs: 'a & b',
      max_new_tokens: '5',
      do_sample: '1',
      temperature: '0.5',
    })
    expect(form({ temperature: 0 })).toMatchObject({ do_sample: '0', max_new_tokens: '512' })
    expect(form({ temperature: 0 })).not.toHaveProperty('temperature')
  })

  it('answers with text', () => {
    expect(chat.decode({ ok: true, outputs: ' hello' }, exchange('chat')).choices[0]?.message.content).toBe(' hello')
  })

  it('reports errors with status 200, whose last line is for the caller', () => {
    const traceback = 'Traceback (most recent call last):\n  File "/home/x/app.py", line 1\nValueError: no such model'
    const error = thrownBy(() => chat.decode({ ok: false, traceback }, exchange('chat')))
    expect(error).toMatchObject({ kind: 'upstream_error', message: 'ValueError: no such model' })
  })
})
