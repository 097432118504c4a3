import { describe, expect, it } from 'vitest'
import { alephAlphaProtocol } from '../../src/protocols/aleph-alpha/index.js'
import { cohereProtocol } from '../../src/protocols/cohere/index.js'
import { geminiProtocol } from '../../src/protocols/gemini/index.js'
import { lostInMessages } from '../../src/protocols/message-fields.js'
import { ollamaProtocol } from '../../src/protocols/ollama/index.js'
import type { Protocol } from '../../src/protocols/protocol.js'
import { codecIn, encode } from './further-exchange.js'

const account = {
  metadata: { team: 'blue' },
  prompt_cache_key: 'k',
  prompt_cache_retention: '24h',
  safety_identifier: 's',
  store: true,
  user: 'u',
}
const named = [{ role: 'user', name: 'ann', content: 'hi' }]
const image = { type: 'image_url', image_url: { url: 'data:image/png;base64,iVBORw0KGgo=', detail: 'low' } }
const looking = [{ role: 'user', content: [image] }]

const protocols: readonly (readonly [string, Protocol, string])[] = [
  ['gemini', geminiProtocol, 'gemini-2.5-flash'],
  ['cohere', cohereProtocol, 'command-a-vision-07-2025'],
  ['ollama', ollamaProtocol, 'llava'],
  ['aleph-alpha', alephAlphaProtocol, 'luminous-base'],
]

describe.each(protocols)('parameters that change nothing in an answer of %s', (name, protocol, model) => {
  const dropped = (fields: object, operation: 'chat' | 'embeddings' = 'chat') =>
    encode(codecIn(protocol, operation), operation, { ...fields }, { provider: name, model }).sent.droppedParams

  it('are named, and no reason for a 400', () => {
    expect(dropped(account).toSorted()).toEqual(Object.keys(account).toSorted())
    for (const [parameter, value] of Object.entries(account))
      expect(dropped({ [parameter]: value })).toEqual([parameter])
  })

  it('are named for embeddings too', () => {
    expect(dropped({ user: 'u' }, 'embeddings')).toEqual(['user'])
  })

  it('are named where they stand in a message', () => {
    expect(dropped({ messages: named })).toEqual(['messages[].name'])
  })

  it('are nothing to tell of where they are not set', () => {
    expect(dropped({ user: null, store: false, stream: false })).toEqual([])
  })
})

describe('the detail of an image', () => {
  const dropped = (protocol: Protocol, model: string) =>
    encode(codecIn(protocol, 'chat'), 'chat', { messages: looking }, { model }).sent.droppedParams

  it('is named where the dialect has no word for it, and only there', () => {
    expect(dropped(ollamaProtocol, 'llava')).toEqual(['messages[].image_url.detail'])
    expect(dropped(cohereProtocol, 'command-a-vision-07-2025')).toEqual([])
    expect(dropped(geminiProtocol, 'gemini-2.5-flash')).toEqual([])
  })

  it('asks for nothing where it is automatic', () => {
    const content = [{ ...image, image_url: { ...image.image_url, detail: 'auto' } }]
    expect(lostInMessages([{ role: 'user', content }], { detail: false })).toEqual([])
  })
})

describe('service_tier', () => {
  it('is named by Gemini, which takes none', () => {
    const codec = codecIn(geminiProtocol, 'chat')
    const { sent } = encode(codec, 'chat', { service_tier: 'flex' }, { model: 'gemini-2.5-flash' })
    expect(sent.droppedParams).toEqual(['service_tier'])
  })
})

describe('the name of a tool', () => {
  it('is not missed beside the result of its call', () => {
    const messages = [
      { role: 'tool', tool_call_id: 'c', name: 'weather', content: 'sun' },
      { role: 'function', name: 'weather', content: 'sun' },
    ]
    expect(lostInMessages(messages, { detail: false })).toEqual([])
  })
})
