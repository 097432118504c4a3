import { describe, expect, it } from 'vitest'
import { isForeignFinishReason, toFinishReason } from '../../src/protocols/finish-reason.js'

describe('a finish reason', () => {
  it.each([
    ['end_turn', 'stop'],
    ['STOP', 'stop'],
    ['MAX_TOKENS', 'length'],
    ['model_length', 'length'],
    ['tool_use', 'tool_calls'],
    ['SAFETY', 'content_filter'],
    ['function_call', 'function_call'],
    ['never heard of', 'stop'],
    [null, 'stop'],
    ['', 'stop'],
  ])('%j is %s', (native, reason) => {
    expect(toFinishReason(native)).toBe(reason)
  })

  it('that is a plain stop means the tools, where some are called', () => {
    expect(toFinishReason('STOP', true)).toBe('tool_calls')
    expect(toFinishReason('', true)).toBe('tool_calls')
    expect(toFinishReason('length', true)).toBe('length')
    expect(toFinishReason('SAFETY', true)).toBe('content_filter')
  })

  it('is foreign unless it is one of OpenAI’s own words', () => {
    expect(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'].some(isForeignFinishReason)).toBe(false)
    expect(['STOP', 'eos', 'end_turn'].every(isForeignFinishReason)).toBe(true)
  })
})
