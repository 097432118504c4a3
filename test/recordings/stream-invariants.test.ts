import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/wire/json.js'
import { brokenInvariants } from './stream-invariants.js'

const base = { id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm' }
const chunk = (delta: JsonObject, finish: string | null = null, index = 0): JsonObject => ({
  ...base,
  choices: [{ index, delta, finish_reason: finish }],
})
const usage = { ...base, choices: [], usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }
const call = (index: number, more: JsonObject = {}) => ({ tool_calls: [{ index, ...more }] })
const opening = (id: string) => ({ id, type: 'function', function: { name: 'f', arguments: '' } })

const role = chunk({ role: 'assistant', content: '' })
const text = chunk({ content: 'hi' })
const stop = chunk({}, 'stop')

describe('the invariants of a stream', () => {
  it('hold for plain text, for parallel tools and for two choices', () => {
    expect(brokenInvariants([role, text, stop], false, true)).toEqual([])
    expect(brokenInvariants([role, text, stop, usage], true, true)).toEqual([])
    const tools = [
      role,
      chunk(call(0, opening('a'))),
      chunk(call(1, opening('b'))),
      chunk(call(0, { function: { arguments: '{}' } })),
      chunk({}, 'tool_calls'),
    ]
    expect(brokenInvariants(tools, false, true)).toEqual([])
    const second = [chunk({ role: 'assistant', content: 'x' }, null, 1), chunk({}, 'stop', 1)]
    expect(brokenInvariants([role, text, stop, ...second], false, true)).toEqual([])
  })

  it.each<readonly [string, readonly JsonObject[], boolean]>([
    ['a role that comes twice', [role, role, stop], false],
    ['a role that comes late', [text, role, stop], false],
    ['no role', [text, stop], false],
    ['no finish reason', [role, text], false],
    ['two finish reasons', [role, stop, stop], false],
    ['content after the finish reason', [role, stop, text], false],
    ['usage that was not asked for', [role, stop, usage], false],
    ['usage before the end', [role, usage, stop], true],
    ['usage twice', [role, stop, usage, usage], true],
    ['usage beside content', [role, { ...stop, usage: usage.usage }], true],
    ['an empty chunk', [role, { ...base, choices: [] }, stop], true],
    ['an id that changes', [role, text, { ...stop, id: 'other' }], false],
    ['a tool index that is skipped', [role, chunk(call(1, opening('a'))), chunk({}, 'tool_calls')], false],
    ['a tool call without id', [role, chunk(call(0, { type: 'function', function: { name: 'f' } })), stop], false],
    ['a tool call without name', [role, chunk(call(0, { id: 'a', type: 'function' })), stop], false],
    ['a tool id that comes twice', [role, chunk(call(0, opening('a'))), chunk(call(0, { id: 'a' })), stop], false],
    ['nothing at all', [], false],
  ])('are broken by %s', (_name, chunks, asked) => {
    expect(brokenInvariants(chunks, asked, true)).not.toEqual([])
  })
})
