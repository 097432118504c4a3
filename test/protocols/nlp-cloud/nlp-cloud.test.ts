import { describe, expect, it } from 'vitest'
import { nlpCloudProtocol } from '../../../src/protocols/nlp-cloud/index.js'
import { createEventDecoder } from '../../../src/upstream/framing.js'
import { codecIn, encode, event, exchange, thrownBy } from '../further-exchange.js'

const chat = codecIn(nlpCloudProtocol, 'chat')
const completions = codecIn(nlpCloudProtocol, 'completions')

const say = (role: string, content: string) => ({ role, content })

describe('a chat', () => {
  it('tells context, history and the last input apart', () => {
    const messages = [
      say('system', 'Be brief.'),
      say('user', 'Hello'),
      say('assistant', 'Hi'),
      say('user', 'How'),
      say('user', 'are you?'),
    ]
    const { sent, body } = encode(chat, 'chat', { messages }, { model: 'chatdolphin' })
    expect(sent.path).toBe('/v1/gpu/chatdolphin/chatbot')
    expect(body).toEqual({
      input: 'How\n\nare you?',
      context: 'Be brief.',
      history: [{ input: 'Hello', response: 'Hi' }],
    })
  })

  it('begins with the assistant where the conversation does', () => {
    const messages = [say('assistant', 'Welcome'), say('user', 'Hello')]
    expect(encode(chat, 'chat', { messages }).body).toEqual({
      input: 'Hello',
      history: [{ input: '', response: 'Welcome' }],
    })
    expect(thrownBy(() => encode(chat, 'chat', { messages: messages.slice(0, 1) })).param).toBe('messages')
  })

  it('has no sampling', () => {
    expect(thrownBy(() => encode(chat, 'chat', { temperature: 0.5, max_tokens: 3 })).message).toMatch(/temperature/)
    expect(encode(chat, 'chat', { temperature: 0.5 }, { dropParams: true }).sent.droppedParams).toEqual(['temperature'])
  })

  it('is answered', () => {
    expect(chat.decode({ response: 'Hi', history: [] }, exchange('chat'))).toMatchObject({
      choices: [{ message: { content: 'Hi' }, finish_reason: 'stop' }],
    })
    expect(thrownBy(() => chat.decode({ detail: 'overloaded' }, exchange('chat'))).message).toBe('overloaded')
  })
})

describe('the other endpoints', () => {
  it('complete text, and tell that a limit was reached', () => {
    const fields = { prompt: 'Once', max_tokens: 3, stop: ['.'] }
    const { sent, body } = encode(completions, 'completions', fields, { model: 'cpu/gpt-small' })
    expect(sent.path).toBe('/v1/gpt-small/generation')
    expect(body).toEqual({ text: 'Once', max_length: 3, end_sequence: '.', remove_input: true })
    const answer = { generated_text: ' upon', nb_input_tokens: 1, nb_generated_tokens: 3 }
    expect(completions.decode(answer, exchange('completions', fields))).toMatchObject({
      choices: [{ text: ' upon', finish_reason: 'length' }],
      usage: { total_tokens: 4 },
    })
    expect(thrownBy(() => encode(completions, 'completions', { stop: ['a', 'b'] })).message).toMatch(/stop/)
  })

  it('embed sentences and draw', () => {
    const embeddings = codecIn(nlpCloudProtocol, 'embeddings')
    const { sent, body } = encode(embeddings, 'embeddings', { input: ['a'] }, { model: 'gpu/mpnet' })
    expect(sent.path).toBe('/v1/mpnet/embeddings')
    expect(body).toEqual({ sentences: ['a'] })
    expect(thrownBy(() => encode(embeddings, 'embeddings', { input: [1, 2] })).param).toBe('input')
    const images = codecIn(nlpCloudProtocol, 'images')
    expect(encode(images, 'images', {}).body).toEqual({ text: 'a cat' })
    expect(images.decode({ url: 'https://x.test/a.png' }, exchange('images')).data).toEqual([
      { url: 'https://x.test/a.png' },
    ])
  })
})

describe('a streamed text', () => {
  const streamed = (model: string) => encode(completions, 'completions', { stream: true }, { model }).body['stream']
  const decoder = () => {
    const made = completions.decodeStream?.(exchange('completions', { stream: true }, { model: 'dolphin' }))
    if (!made) throw new Error('no stream')
    return made
  }
  const bytes = Buffer.from('Once\0 upön\0 a time\0[DONE]\0')

  it('is asked for where the model gives pieces of text', () => {
    expect(streamed('finetuned-dolphin-3')).toBe(true)
    expect(streamed('llama-3-1-405b')).toBeUndefined()
  })

  it('is read however its bytes are cut, spaces kept', () => {
    for (let cut = 0; cut <= bytes.length; cut += 1) {
      const made = decoder()
      const events = createEventDecoder('text/event-stream', made.framing)
      const all = [...events.push(bytes.subarray(0, cut)), ...events.push(bytes.subarray(cut)), ...events.end()]
      const chunks = [...all.flatMap((one) => made.push(one)), ...made.end()].map(({ chunk }) => chunk?.choices[0])
      expect(chunks.map((choice) => choice?.text).join('')).toBe('Once upön a time')
      expect(chunks.at(-1)?.finish_reason).toBe('stop')
      expect(made.progress).toBe('terminated')
    }
  })

  it('is cut off without its mark at the end, and may be an error', () => {
    const made = decoder()
    made.push(event('Once'))
    expect(thrownBy(() => made.end())).toMatchObject({ kind: 'stream_truncated' })
    expect(thrownBy(() => decoder().push(event({ detail: 'overloaded' }))).message).toBe('overloaded')
  })
})
