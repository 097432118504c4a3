import { describe, expect, it } from 'vitest'
import {
  chatTemplateArgs,
  dropTextFormat,
  groqServiceTier,
  nullEffort,
  raiseTemperatureForMany,
  wrapJsonSchema,
} from '../../../src/providers/openai-compatible/adjust.js'
import { chatAsCompletion } from '../../../src/providers/openai-compatible/answers.js'

describe('adjustments of a chat', () => {
  it('leave other operations and bodies without the parameter as they are', () => {
    const body = { model: 'm' }
    for (const adjust of [
      chatTemplateArgs,
      dropTextFormat,
      groqServiceTier,
      nullEffort,
      raiseTemperatureForMany,
      wrapJsonSchema,
    ]) {
      expect(adjust(body, 'chat')).toBe(body)
      expect(adjust(body, 'embeddings')).toBe(body)
    }
  })

  it('switch reasoning off with null', () => {
    expect(nullEffort({ reasoning_effort: 'none' }, 'chat')).toEqual({ reasoning_effort: null })
    expect(nullEffort({ reasoning_effort: 'low' }, 'chat')).toEqual({ reasoning_effort: 'low' })
  })

  it('leave out the text format only', () => {
    expect(dropTextFormat({ response_format: { type: 'text' }, n: 1 }, 'chat')).toEqual({ n: 1 })
    const json = { response_format: { type: 'json_object' } }
    expect(dropTextFormat(json, 'chat')).toBe(json)
  })

  it('raise a low temperature for several answers', () => {
    expect(raiseTemperatureForMany({ temperature: 0, n: 2 }, 'chat')).toEqual({ temperature: 0.3, n: 2 })
    const single = { temperature: 0, n: 1 }
    expect(raiseTemperatureForMany(single, 'chat')).toBe(single)
  })

  it('make an unknown service tier auto', () => {
    expect(groqServiceTier({ service_tier: 'priority' }, 'chat')).toEqual({ service_tier: 'auto' })
    const flex = { service_tier: 'flex' }
    expect(groqServiceTier(flex, 'chat')).toBe(flex)
  })

  it('rename the switches of the template', () => {
    expect(chatTemplateArgs({ chat_template_kwargs: { enable_thinking: true } }, 'chat')).toEqual({
      chat_template_args: { enable_thinking: true },
    })
  })

  it('wrap a bare schema', () => {
    const schema = { type: 'object' }
    expect(wrapJsonSchema({ response_format: { type: 'json_schema', schema } }, 'chat')).toEqual({
      response_format: { type: 'json_schema', json_schema: { name: 'answer', schema } },
    })
  })
})

describe('fill-in-the-middle', () => {
  it('reads whole answers and pieces in the shape of a chat', () => {
    const whole = {
      object: 'chat.completion',
      choices: [{ index: 0, message: { content: 'x' }, finish_reason: 'stop' }],
    }
    expect(chatAsCompletion(whole)).toEqual({
      object: 'text_completion',
      choices: [{ index: 0, text: 'x', finish_reason: 'stop' }],
    })
    const piece = { choices: [{ index: 0, delta: { role: 'assistant', content: '' }, finish_reason: null }] }
    expect(chatAsCompletion(piece)).toMatchObject({ choices: [{ index: 0, text: '', finish_reason: null }] })
  })
})
