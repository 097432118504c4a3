import { describe, expect, it } from 'vitest'
import { InvalidRequestError } from '../../../src/errors.js'
import { createGeminiProtocol } from '../../../src/protocols/gemini/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { encodeChat, thrownBy } from './fixtures.js'

const user = { role: 'user', content: 'weather?' }
const png = 'iVBORw0KGgo='
const pixel = { type: 'image_url', image_url: { url: `data:image/png;base64,${png}` } }

function callOf(id: string, name: string, args = '{}', extra: JsonObject = {}): JsonObject {
  return { id, type: 'function', function: { name, arguments: args }, ...extra }
}

const asks = (...calls: readonly JsonObject[]) => ({ role: 'assistant', content: null, tool_calls: calls })
const answers = (id: string, content: unknown) => ({ role: 'tool', tool_call_id: id, content })

function contentsOf(messages: readonly unknown[], model = 'gemini-2.5-flash') {
  return encodeChat({ messages }, { model }).body['contents']
}

describe('system messages', () => {
  it('are lifted out in order, wherever they stand, developer ones too', () => {
    const { body } = encodeChat({
      messages: [{ role: 'system', content: 'A' }, user, { role: 'developer', content: [{ type: 'text', text: 'B' }] }],
    })
    expect(body['systemInstruction']).toEqual({ parts: [{ text: 'A' }, { text: 'B' }] })
    expect(body['contents']).toEqual([{ role: 'user', parts: [{ text: 'weather?' }] }])
  })

  it('alone are followed by a user turn', () => {
    expect(contentsOf([{ role: 'system', content: 'A' }])).toEqual([{ role: 'user', parts: [{ text: '.' }] }])
  })

  it('stand in the first user turn for Gemma', () => {
    const { body } = encodeChat({ messages: [{ role: 'system', content: 'A' }, user] }, { model: 'gemma-3-27b-it' })
    expect(body).toEqual({ contents: [{ role: 'user', parts: [{ text: 'A' }, { text: 'weather?' }] }] })
  })
})

describe('turns', () => {
  it('of one role are merged, and empty ones vanish', () => {
    const messages = [
      user,
      { role: 'assistant', content: '' },
      { role: 'user', content: 'please' },
      { role: 'assistant', content: 'ok' },
    ]
    expect(contentsOf(messages)).toEqual([
      { role: 'user', parts: [{ text: 'weather?' }, { text: 'please' }] },
      { role: 'model', parts: [{ text: 'ok' }] },
    ])
  })

  it('start with the user', () => {
    expect(contentsOf([{ role: 'assistant', content: 'hi' }, user])).toMatchObject([
      { role: 'user' },
      { role: 'model' },
      {},
    ])
  })
})

describe('tool results', () => {
  it('of one turn stand in one user content, in the order of the calls, before anything the user says', () => {
    const messages = [
      user,
      asks(callOf('a', 'sun', '{"city":"Oslo"}'), callOf('b', 'rain', '')),
      answers('b', '{"mm":3}'),
      { role: 'user', content: 'hurry' },
      answers('a', 'sunny'),
    ]
    expect(contentsOf(messages)).toEqual([
      { role: 'user', parts: [{ text: 'weather?' }] },
      {
        role: 'model',
        parts: [
          { functionCall: { id: 'a', name: 'sun', args: { city: 'Oslo' } } },
          { functionCall: { id: 'b', name: 'rain', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { id: 'a', name: 'sun', response: { content: 'sunny' } } },
          { functionResponse: { id: 'b', name: 'rain', response: { mm: 3 } } },
          { text: 'hurry' },
        ],
      },
    ])
  })

  it('that speak of $ref are data, not references (case 18)', () => {
    const text = '{"$defs":{"A":{}},"a":{"$ref":"#/$defs/A"}}'
    expect(contentsOf([user, asks(callOf('a', 'read')), answers('a', text)])).toMatchObject([
      {},
      {},
      { parts: [{ functionResponse: { response: { content: text } } }] },
    ])
  })

  it('with numbers beyond a double stay text, digits in strings do not matter', () => {
    const response = (content: string) => contentsOf([user, asks(callOf('a', 'read')), answers('a', content)])
    expect(response('{"id":12345678901234567890}')).toMatchObject([
      {},
      {},
      { parts: [{ functionResponse: { response: { content: '{"id":12345678901234567890}' } } }] },
    ])
    expect(response('{"card":"4111111111111111"}')).toMatchObject([
      {},
      {},
      { parts: [{ functionResponse: { response: { card: '4111111111111111' } } }] },
    ])
  })

  it('carry their images inside on generation 3, and behind the responses before it (case 23)', () => {
    const messages = [
      user,
      asks(callOf('a', 'look'), callOf('b', 'look')),
      answers('a', [{ type: 'text', text: 'seen' }, pixel]),
      answers('b', 'dark'),
    ]
    const image = { inlineData: { mimeType: 'image/png', data: png } }
    const second = { functionResponse: { id: 'b', name: 'look', response: { content: 'dark' } } }
    const first = { id: 'a', name: 'look', response: { content: 'seen' } }
    expect(contentsOf(messages, 'gemini-3-flash-preview')).toMatchObject([
      {},
      {},
      { parts: [{ functionResponse: { ...first, parts: [image] } }, second] },
    ])
    expect(contentsOf(messages)).toMatchObject([{}, {}, { parts: [{ functionResponse: first }, second, image] }])
  })

  it('are refused where they answer nothing', () => {
    const error = thrownBy(() => contentsOf([user, asks(callOf('a', 'sun')), answers('z', 'x')]))
    expect(error).toBeInstanceOf(InvalidRequestError)
    expect(error).toMatchObject({ status: 400, param: 'messages[2].tool_call_id' })
    expect(thrownBy(() => contentsOf([answers('a', 'x')]))).toMatchObject({ param: 'messages[0].tool_call_id' })
  })

  it('of legacy functions are paired by name', () => {
    const messages = [
      user,
      { role: 'assistant', content: null, function_call: { name: 'sun', arguments: '{}' } },
      { role: 'function', name: 'sun', content: 'yes' },
    ]
    expect(contentsOf(messages)).toMatchObject([
      {},
      { parts: [{ functionCall: { name: 'sun' } }] },
      { parts: [{ functionResponse: { name: 'sun' } }] },
    ])
  })
})

describe('tool calls', () => {
  it('whose arguments are no JSON object are refused by name', () => {
    for (const text of ['{"a":', '[1]', '"x"']) {
      const error = thrownBy(() => contentsOf([user, asks(callOf('a', 'sun', text))]))
      expect(error).toMatchObject({ status: 400, param: 'messages[1].tool_calls[0].function.arguments' })
    }
  })

  it('go without ids where the host refuses them', () => {
    const protocol = createGeminiProtocol({
      functionCallIds: false,
      path: (_deployment, method) => `/v1/projects/p/locations/l/publishers/google/models/gemini-2.5-pro:${method}`,
    })
    const { path, body } = encodeChat(
      { messages: [user, asks(callOf('a', 'sun')), answers('a', 'x')] },
      { model: 'gemini-2.5-pro' },
      protocol,
    )
    expect(JSON.stringify(body)).not.toContain('"id"')
    expect(path).toMatch(/^\/v1\/projects\//)
  })
})

describe('media', () => {
  const partOf = (part: JsonObject, model = 'gemini-2.5-flash') => {
    const [content] = contentsOf([{ role: 'user', content: [part] }], model) as { parts: unknown[] }[]
    return content?.parts[0]
  }
  const file = (fields: JsonObject) => ({ type: 'file', file: fields })

  it.each<readonly [string, JsonObject, JsonObject]>([
    ['an image as a data: URL', pixel, { inlineData: { mimeType: 'image/png', data: png } }],
    [
      'a bare string as an image',
      { type: 'image_url', image_url: `data:image/webp;base64,${png}` },
      { inlineData: { mimeType: 'image/webp', data: png } },
    ],
    [
      'a gs:// image (case 25)',
      { type: 'image_url', image_url: { url: 'gs://b/a.png' } },
      { fileData: { mimeType: 'image/png', fileUri: 'gs://b/a.png' } },
    ],
    [
      'an https image',
      { type: 'image_url', image_url: { url: 'https://x.test/a' } },
      { fileData: { mimeType: 'image/jpeg', fileUri: 'https://x.test/a' } },
    ],
    [
      'a declared media type',
      { type: 'image_url', image_url: { url: 'https://x.test/a', format: 'image/heic' } },
      { fileData: { mimeType: 'image/heic', fileUri: 'https://x.test/a' } },
    ],
    [
      'sound',
      { type: 'input_audio', input_audio: { data: 'UklGRg==', format: 'mp3' } },
      { inlineData: { mimeType: 'audio/mp3', data: 'UklGRg==' } },
    ],
    [
      'a video with its metadata',
      { type: 'video_url', video_url: { url: 'https://youtu.be/x' }, video_metadata: { fps: 1 } },
      { fileData: { mimeType: 'video/mp4', fileUri: 'https://youtu.be/x' }, videoMetadata: { fps: 1 } },
    ],
    [
      'a document',
      file({ file_data: 'data:application/pdf;base64,JVBERg==' }),
      { inlineData: { mimeType: 'application/pdf', data: 'JVBERg==' } },
    ],
    [
      'a bare base64 document',
      file({ file_data: 'JVBERg==', filename: 'a.txt' }),
      { inlineData: { mimeType: 'text/plain', data: 'JVBERg==' } },
    ],
    [
      'an uploaded file',
      file({ file_id: 'files/abc-1' }),
      { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-1' } },
    ],
  ])('takes %s', (_name, part, expected) => {
    expect(partOf(part)).toEqual(expected)
  })

  it.each<readonly [string, JsonObject, string, string]>([
    [
      'an https image, for a model that fetches none',
      { type: 'image_url', image_url: { url: 'https://x.test/a.png' } },
      'image_url.url',
      'gemini-2.0-flash',
    ],
    ['a file of another provider', file({ file_id: 'file-abc' }), 'file.file_id', 'gemini-2.5-flash'],
    [
      'a data: URL without base64',
      { type: 'image_url', image_url: { url: 'data:image/svg+xml,<svg/>' } },
      'image_url.url',
      'gemini-2.5-flash',
    ],
  ])('refuses %s', (_name, part, param, model) => {
    expect(thrownBy(() => partOf(part, model))).toMatchObject({ status: 400, param: `messages[0].content[0].${param}` })
  })

  it('refuses a part of unknown type by its place', () => {
    expect(thrownBy(() => partOf({ type: 'hologram' }))).toMatchObject({ status: 400, param: 'messages[0].content[0]' })
  })

  it('sets the resolution with the part on generation 3, else once for the request', () => {
    const detailed = (detail: string) => ({ ...pixel, image_url: { ...pixel.image_url, detail } })
    const messages = [{ role: 'user', content: [detailed('low'), detailed('high')] }]
    expect(partOf(detailed('low'), 'gemini-3-pro-preview')).toMatchObject({
      mediaResolution: { level: 'MEDIA_RESOLUTION_LOW' },
    })
    expect(encodeChat({ messages }).body['generationConfig']).toEqual({ mediaResolution: 'MEDIA_RESOLUTION_HIGH' })
  })

  it('sends images of an earlier answer back with their signatures', () => {
    const images = [{ ...pixel, thought_signature: 'AAAA' }]
    expect(contentsOf([user, { role: 'assistant', content: 'here', images }, user])).toMatchObject([
      {},
      { parts: [{ text: 'here' }, { inlineData: { data: png }, thoughtSignature: 'AAAA' }] },
      {},
    ])
  })
})
