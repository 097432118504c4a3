import { describe, expect, it } from 'vitest'
import { mediaUrlsIn, replaceMediaUrls } from '../../src/protocols/media-urls.js'
import type { ChatMessage } from '../../src/wire/chat.js'

const messages: ChatMessage[] = [
  { role: 'system', content: 'https://example.com/text.png' },
  {
    role: 'user',
    content: [
      { type: 'text', text: 'https://example.com/text.png' },
      { type: 'image_url', image_url: 'https://example.com/1.png' },
      { type: 'image_url', image_url: { url: 'HTTP://example.com/2.png', detail: 'low' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AA==' } },
      { type: 'file', file: { file_data: 'https://example.com/3.pdf', filename: 'https://example.com/name' } },
      { type: 'file', file: { file_id: 'gs://bucket/4.pdf' } },
      { type: 'input_audio', input_audio: { data: 'https://example.com/5.wav', format: 'wav' } },
      { type: 'video_url', video_url: { url: 'https://example.com/6.mp4' } },
      { type: 'tool_reference', url: 'https://example.com/no' },
    ],
  },
  {
    role: 'tool',
    tool_call_id: 'x',
    content: [{ type: 'image_url', image_url: { url: 'https://example.com/1.png' } }],
  },
  {
    role: 'assistant',
    content: 'x',
    images: [{ type: 'image_url', image_url: { url: 'https://example.com/7.png' } }],
  },
]

describe('mediaUrlsIn', () => {
  it('finds every http address of media, each once, and nothing else', () => {
    expect(mediaUrlsIn(messages)).toEqual([
      'https://example.com/1.png',
      'HTTP://example.com/2.png',
      'https://example.com/3.pdf',
      'https://example.com/5.wav',
      'https://example.com/6.mp4',
      'https://example.com/7.png',
    ])
  })
})

describe('replaceMediaUrls', () => {
  it('replaces the addresses that it is given, wherever they stand, and keeps everything else', () => {
    const before = structuredClone(messages)
    const urls = mediaUrlsIn(messages)
    const replaced = replaceMediaUrls(messages, new Map(urls.map((url, index) => [url, `data:${index}`])))
    expect(messages).toEqual(before)
    expect(replaced[0]).toBe(messages[0])
    expect(JSON.stringify(replaced)).toBe(
      urls.reduce((text, url, index) => text.replaceAll(`"${url}"`, `"data:${index}"`), JSON.stringify(messages)),
    )
  })

  it('leaves messages without such addresses as they are', () => {
    expect(replaceMediaUrls(messages, new Map())).toEqual(messages)
    expect(replaceMediaUrls(messages, new Map([['https://other', 'data:']]))[1]).toBe(messages[1])
  })
})
