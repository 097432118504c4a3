import { describe, expect, it } from 'vitest'
import { GuardedParts } from '../../src/guardrails/index.js'
import type { ChatChunk } from '../../src/wire/chat.js'
import { ask, chunk, contentOf, createLab, guarded } from './lab.js'

type Parts = { readonly chunk: ChatChunk | undefined; readonly forward: { readonly data: string } | undefined }[]

function source(batches: readonly Parts[]) {
  const state = { left: 0, given: 0 }
  const rest = [...batches]
  const iterator: AsyncIterableIterator<Parts, undefined> = {
    [Symbol.asyncIterator]: () => iterator,
    async next() {
      const value = rest.shift()
      state.given += 1
      return value ? { done: false, value } : { done: true, value: undefined }
    },
    async return() {
      state.left += 1
      return { done: true, value: undefined }
    },
  }
  return { iterator, state }
}

const asChunk = (one: ChatChunk) => ({ chunk: one, forward: undefined })
const asEvent = (one: ChatChunk) => ({ chunk: undefined, forward: { data: JSON.stringify(one) } })

async function read(parts: GuardedParts<ChatChunk>): Promise<ChatChunk[]> {
  const chunks: ChatChunk[] = []
  for await (const batch of parts) chunks.push(...batch.map((part) => part.chunk))
  return chunks
}

describe('a stream behind guardrails', () => {
  it('also reads the events that would have been forwarded as they came', async () => {
    const { begin } = createLab([{ name: 'pii', type: 'pii', mode: 'post_call' }])
    const stage = guarded(begin(ask('x'))).stream()
    if (!stage) throw new Error('Nothing guards.')
    const { iterator } = source([
      [asEvent(chunk({ content: 'a ada@exam' })), asChunk(chunk({ content: 'ple.com' }))],
      [asChunk(chunk({}, 'stop'))],
    ])
    expect(contentOf(await read(new GuardedParts(iterator, stage)))).toBe('a [EMAIL]')
  })

  it('gives nothing before the guardrails beside the call have passed it', async () => {
    let open = (): void => {}
    const gate = new Promise<void>((resolve) => (open = resolve))
    const { iterator, state } = source([[asChunk(chunk({ content: 'a' }))]])
    const reading = read(new GuardedParts(iterator, { push: (one) => [one] }, gate))
    await new Promise((resolve) => setImmediate(resolve))
    expect(state.given).toBe(0)
    open()
    expect(contentOf(await reading)).toBe('a')
  })

  it.each([
    ['a gate', () => [], () => Promise.reject(new Error('refused'))],
    [
      'a chunk',
      () => {
        throw new Error('refused')
      },
      () => undefined,
    ],
  ])('ends with its source where %s is refused', async (_, push, openGate) => {
    const { iterator, state } = source([[asChunk(chunk({ content: 'a' }))], []])
    const parts = new GuardedParts(iterator, { push }, openGate())
    await new Promise((resolve) => setImmediate(resolve))
    await expect(read(parts)).rejects.toThrow('refused')
    expect(state.left).toBe(1)
    expect(await parts.next()).toEqual({ done: true, value: undefined })
  })

  it('leaves its source where nobody reads', async () => {
    const { iterator, state } = source([])
    await new GuardedParts(iterator, { push: () => [] }, Promise.reject(new Error('refused'))).return()
    expect(state.left).toBe(1)
  })
})
