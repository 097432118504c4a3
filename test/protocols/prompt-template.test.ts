import { describe, expect, it } from 'vitest'
import type { PlainTurn } from '../../src/protocols/plain-text.js'
import { plainText, toPlainTurns } from '../../src/protocols/plain-text.js'
import { toPrompt } from '../../src/protocols/prompt-template.js'
import { thrownBy } from './further-exchange.js'

const turns: readonly PlainTurn[] = [
  { role: 'system', text: 'Be brief.' },
  { role: 'user', text: 'Hello' },
  { role: 'assistant', text: 'Hi' },
  { role: 'user', text: 'Bye' },
]

describe('a prompt', () => {
  it('is written as the model was trained', () => {
    expect(toPrompt(turns, 'meta/llama-3-8b')).toBe(
      '<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHello<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
    )
    expect(toPrompt(turns, 'meta-llama/Llama-2-70b-chat-hf')).toBe(
      '<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHello [/INST] Hi</s><s>[INST] Bye [/INST]',
    )
    expect(toPrompt(turns, 'mistralai/Mixtral-8x7B')).toBe(
      '<s>[INST] Be brief.\n\nHello [/INST] Hi</s><s>[INST] Bye [/INST]',
    )
    expect(toPrompt(turns.slice(0, 2), 'Qwen/Qwen2.5-7B')).toBe(
      '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHello<|im_end|>\n<|im_start|>assistant\n',
    )
    expect(toPrompt(turns.slice(0, 2), 'ibm/granite-13b-chat-v2')).toBe(
      '<|system|>\nBe brief.\n<|user|>\nHello\n<|assistant|>\n',
    )
  })

  it('of a single turn is the turn itself for a model of no known family', () => {
    expect(toPrompt([{ role: 'user', text: 'Hello' }], 'google/flan-ul2')).toBe('Hello')
    expect(toPrompt(turns.slice(0, 2), 'google/flan-ul2')).toBe('System: Be brief.\n\nUser: Hello\n\nAssistant:')
  })
})

describe('a conversation as text', () => {
  it('tells what was called and what a tool answered', () => {
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
    expect(
      toPlainTurns(
        [
          { role: 'developer', content: 'Be brief.' },
          { role: 'assistant', content: null, tool_calls: [call] },
          { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'done' }] },
        ],
        'Acme',
      ),
    ).toEqual([
      { role: 'system', text: 'Be brief.' },
      { role: 'assistant', text: '{"name":"f","arguments":"{}"}' },
      { role: 'user', text: 'done' },
    ])
  })

  it('refuses what is no text, and says where it stands', () => {
    const image = [{ type: 'image_url' as const, image_url: { url: 'https://x.test/a.png' } }]
    const error = thrownBy(() => plainText(image, 'messages[3].content', 'Acme'))
    expect(error).toMatchObject({ kind: 'invalid_request', param: 'messages[3].content' })
    expect(error.message).toMatch(/image_url/)
  })
})
