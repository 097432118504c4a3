import { describe, expect, it } from 'vitest'
import type { Deployment } from '../../../src/deployment.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { encode } from './exchange.js'

function blocksOf(
  part: JsonObject,
  deployment: Partial<Deployment> = {},
): { block: JsonObject; betas: string | undefined } {
  const { body, upstream } = encode({ messages: [{ role: 'user', content: [part] }] }, deployment)
  const [message] = JSON.parse(JSON.stringify(body['messages']))
  return { block: message.content[0], betas: upstream.headers['anthropic-beta'] }
}

const image = (url: unknown): JsonObject => ({ type: 'image_url', image_url: url })
const file = (members: JsonObject): JsonObject => ({ type: 'file', file: members })
const text = Buffer.from('a,b\n1,ü').toString('base64')

describe('images', () => {
  it.each([
    [
      'an https URL as a URL',
      image({ url: 'https://example.com/a.png', detail: 'low' }),
      { type: 'url', url: 'https://example.com/a.png' },
    ],
    ['a bare string', image('https://example.com/a'), { type: 'url', url: 'https://example.com/a' }],
    [
      'a data URL as base64',
      image({ url: 'data:image/webp;base64,QUJD' }),
      { type: 'base64', media_type: 'image/webp', data: 'QUJD' },
    ],
    [
      'image/jpg by its right name',
      image({ url: 'data:image/jpg;base64,QUJD' }),
      { type: 'base64', media_type: 'image/jpeg', data: 'QUJD' },
    ],
    [
      'the format that the caller states',
      image({ url: 'data:application/octet-stream;base64,QUJD', format: 'image/png' }),
      { type: 'base64', media_type: 'image/png', data: 'QUJD' },
    ],
  ])('sends %s', (_, part, source) => {
    expect(blocksOf(part).block).toEqual({ type: 'image', source })
  })

  it.each([
    ['http', image({ url: 'http://example.com/a.png' })],
    ['gs', image({ url: 'gs://bucket/a.png' })],
    ['svg', image({ url: 'data:image/svg+xml;base64,QUJD' })],
  ])('refuses %s, naming the part', (_, part) => {
    expect(() => blocksOf(part)).toThrow(expect.objectContaining({ status: 400, param: 'messages[0].content[0]' }))
  })

  it('refuses images for a model without eyes', () => {
    const blind = { capabilities: { vision: false } }
    expect(() => blocksOf(image('https://example.com/a.png'), blind)).toThrow(
      /does not support images in messages\[0\].content\[0\]/,
    )
  })
})

describe('documents', () => {
  it.each([
    [
      'a PDF',
      file({ file_data: 'data:application/pdf;base64,JVBE', filename: 'a.pdf' }),
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' }, title: 'a.pdf' },
    ],
    [
      'bare base64, taken for a PDF',
      file({ file_data: 'JVBE' }),
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } },
    ],
    [
      'bare base64 by its file name',
      file({ file_data: 'QUJD', filename: 'x.PNG' }),
      { type: 'image', source: { type: 'base64', media_type: 'image/png', data: 'QUJD' } },
    ],
    [
      'text, decoded',
      file({ file_data: `data:text/csv;base64,${text}`, filename: 't.csv' }),
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'a,b\n1,ü' }, title: 't.csv' },
    ],
    [
      'a PDF by URL',
      file({ file_id: 'https://example.com/a.pdf' }),
      { type: 'document', source: { type: 'url', url: 'https://example.com/a.pdf' } },
    ],
    [
      'a PDF in the place of an image',
      image({ url: 'data:application/pdf;base64,JVBE' }),
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'JVBE' } },
    ],
  ])('sends %s', (_, part, block) => {
    expect(blocksOf(part).block).toEqual(block)
  })

  it.each([
    [undefined, { type: 'document', source: { type: 'file', file_id: 'file_1' } }],
    ['image/png', { type: 'image', source: { type: 'file', file_id: 'file_1' } }],
    ['application/zip', { type: 'container_upload', file_id: 'file_1' }],
  ])('sends an uploaded file of format %s by its id, with the beta it needs', (format, expected) => {
    const { block, betas } = blocksOf(file({ file_id: 'file_1', ...(format && { format }) }))
    expect(block).toEqual(expected)
    expect(betas).toBe('files-api-2025-04-14')
  })

  it('refuses a type that Claude does not read, and a file part without a file', () => {
    expect(() => blocksOf(file({ file_data: 'data:application/zip;base64,AAAA' }))).toThrow(/application\/zip/)
    expect(() => blocksOf(file({ filename: 'x' }))).toThrow(/needs file_data or file_id/)
  })

  it("passes parts in Claude's own form", () => {
    const source = { type: 'text', media_type: 'text/plain', data: 'x' }
    const part = { type: 'document', source, citations: { enabled: true } }
    expect(blocksOf(part).block).toEqual(part)
  })
})

describe('what Claude does not hear or see', () => {
  it.each([
    ['audio', { type: 'input_audio', input_audio: { data: 'AAAA', format: 'wav' } }],
    ['video', { type: 'video_url', video_url: { url: 'https://example.com/a.mp4' } }],
  ])('refuses %s with a 400 that names the part', (kind, part) => {
    const messages = [
      { role: 'user', content: 'Hi' },
      { role: 'user', content: [{ type: 'text', text: 'x' }, part] },
    ]
    expect(() => encode({ messages })).toThrow(
      expect.objectContaining({ kind: 'unsupported_parameter', status: 400, param: 'messages[1].content[1]' }),
    )
    expect(() => encode({ messages })).toThrow(kind)
  })
})

describe('cache_control', () => {
  const mark = { type: 'ephemeral' }
  const marked = (content: string): JsonObject => ({ type: 'text', text: content, cache_control: mark })

  it('stays on system, tools, parts, results and messages', () => {
    const { body } = encode({
      tools: [{ type: 'function', function: { name: 'f' }, cache_control: { type: 'ephemeral', ttl: '1h' } }],
      messages: [
        { role: 'system', content: [marked('s')] },
        { role: 'user', content: [marked('u')] },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '' } }],
        },
        { role: 'tool', tool_call_id: 'a', content: 'ok', cache_control: mark },
      ],
    })
    expect(body).toMatchObject({
      tools: [{ cache_control: { type: 'ephemeral', ttl: '1h' } }],
      system: [{ cache_control: mark }],
      messages: [{ content: [{ cache_control: mark }] }, {}, { content: [{ cache_control: mark }] }],
    })
  })

  it('keeps the last four marks where there are more', () => {
    const { body } = encode({
      messages: [
        { role: 'system', content: [marked('1'), marked('2')] },
        { role: 'user', content: [marked('3'), marked('4')] },
        { role: 'assistant', content: [marked('5')] },
        { role: 'user', content: 'six', cache_control: mark },
      ],
    })
    const system: unknown = body['system']
    expect(system).toEqual([
      { type: 'text', text: '1' },
      { type: 'text', text: '2' },
    ])
    expect(JSON.stringify(body['messages']).match(/cache_control/g)).toHaveLength(4)
  })

  it('passes the automatic mark of the whole request, and counts it', () => {
    const content = ['1', '2', '3', '4'].map(marked)
    const { body } = encode({ cache_control: mark, messages: [{ role: 'user', content }] })
    expect(body['cache_control']).toEqual(mark)
    expect(JSON.stringify(body['messages']).match(/cache_control/g)).toHaveLength(3)
  })
})
