import { describe, expect, it } from 'vitest'
import { OuterDecoder } from '../../src/protocols/outer-decoder.js'
import type { StreamDecoder } from '../../src/protocols/protocol.js'
import type { ChatUsage } from '../../src/wire/usage.js'

const usage: ChatUsage = { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 }
const event = { event: '', data: 'x', frame: undefined }

describe('a decoder around another', () => {
  it('knows how far the answer is and what was said of its tokens, at every moment', () => {
    const inner = { progress: 'open', usage: undefined, push: () => [], end: () => [] } as {
      -readonly [K in keyof StreamDecoder<string>]: StreamDecoder<string>[K]
    }
    const outer = new OuterDecoder<string>(inner, { push: () => [], end: () => [] })
    expect([outer.progress, outer.usage]).toEqual(['open', undefined])
    inner.usage = usage
    inner.progress = 'finished'
    expect([outer.progress, outer.usage]).toEqual(['finished', usage])
  })

  it('gives what stands around makes of the events and of the end', () => {
    const inner: StreamDecoder<string> = { progress: 'open', push: () => [], end: () => [] }
    const outer = new OuterDecoder<string>(inner, {
      push: ({ data }) => [{ chunk: data + data, forward: undefined }],
      end: () => [{ chunk: 'end', forward: undefined }],
    })
    expect([...outer.push(event), ...outer.end()].map(({ chunk }) => chunk)).toEqual(['xx', 'end'])
  })
})
