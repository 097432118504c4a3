import { describe, expect, it } from 'vitest'
import type { Quirks } from '../../../src/protocols/openai/quirks.js'
import type { Exchange, Protocol } from '../../../src/protocols/protocol.js'
import { createRowProtocol, type RowDialect } from '../../../src/providers/openai-compatible/row-protocol.js'
import type { ChatRequest } from '../../../src/wire/chat.js'
import { deploymentOf } from '../deployments.js'

/** An engine that writes the quirks it was made of into the request's body. */
function createSpeak() {
  const made: Quirks[] = []
  const speak = (quirks: Quirks): Protocol => {
    made.push(quirks)
    return {
      name: 'fake',
      failure: (_status, body) => ({ kind: 'upstream_error', message: String(body) }),
      codecs: {
        chat: {
          encode: () => ({
            method: 'POST',
            path: quirks.paths?.chat ?? '/chat/completions',
            headers: {},
            body: JSON.stringify(quirks.unsupported ?? null),
            droppedParams: [],
          }),
          decode: (body) => body as never,
          decodeStream: () => ({
            progress: 'open',
            push: (event) => [{ chunk: undefined, forward: event }],
            end: () => [],
          }),
        },
      },
    }
  }
  return { speak, made }
}

const exchangeOf = (model: string, request: Partial<ChatRequest> = {}, params = {}): Exchange<'chat'> => ({
  request: { model, messages: [{ role: 'user', content: 'hi' }], ...request },
  deployment: deploymentOf({ model, params }),
  id: 'id',
  created: 1,
})

function encodedBy(row: RowDialect) {
  const { speak, made } = createSpeak()
  const protocol = createRowProtocol(speak, row)
  const body = (exchange: Exchange<'chat'>): unknown => {
    const sent = protocol.codecs.chat?.encode(exchange).body
    return typeof sent === 'string' ? JSON.parse(sent) : sent
  }
  return { protocol, made, body }
}

describe('createRowProtocol', () => {
  it('gives the engine itself for a row without variants', () => {
    const { protocol, made } = encodedBy({ quirks: { unsupported: ['seed'] } })
    expect(made).toEqual([{ unsupported: ['seed'] }])
    expect(protocol.codecs.chat?.decode({ a: 1 }, exchangeOf('m'))).toEqual({ a: 1 })
  })

  it("adds a variant's quirks for its models only", () => {
    const { body } = encodedBy({
      quirks: { unsupported: ['seed'] },
      variants: [{ models: /^deep-/, quirks: { unsupported: ['stop'] } }],
    })
    expect(body(exchangeOf('deep-1'))).toEqual(['seed', 'stop'])
    expect(body(exchangeOf('shallow-1'))).toEqual(['seed'])
  })

  it("looks at the request's parameters, then at the deployment's", () => {
    const { body } = encodedBy({
      variants: [{ when: { parameter: 'reasoning_effort', isNot: ['none'] }, quirks: { unsupported: ['top_p'] } }],
    })
    expect(body(exchangeOf('m'))).toBeNull()
    expect(body(exchangeOf('m', { reasoning_effort: 'none' }))).toBeNull()
    expect(body(exchangeOf('m', { reasoning_effort: 'high' }))).toEqual(['top_p'])
    expect(body(exchangeOf('m', {}, { reasoning_effort: 'low' }))).toEqual(['top_p'])
    expect(body(exchangeOf('m', { reasoning_effort: 'none' }, { reasoning_effort: 'low' }))).toBeNull()
  })

  it('looks into objects', () => {
    const { body } = encodedBy({
      variants: [{ when: { parameter: 'response_format.type', is: ['json_object'] }, quirks: { unsupported: ['x'] } }],
    })
    expect(body(exchangeOf('m', { response_format: { type: 'json_object' } }))).toEqual(['x'])
    expect(body(exchangeOf('m', { response_format: { type: 'text' } }))).toBeNull()
  })

  it('makes one engine per set of variants', () => {
    const { body, made } = encodedBy({ variants: [{ models: /a/, quirks: { unsupported: ['x'] } }] })
    for (const model of ['a', 'a', 'b', 'a', 'b']) body(exchangeOf(model))
    expect(made).toHaveLength(2)
  })

  it('puts the upstream name of the model into a path', () => {
    const { protocol } = encodedBy({
      quirks: { paths: { chat: '/run/{model}/go' }, modelName: (model) => `acme/${model}` },
    })
    expect(protocol.codecs.chat?.encode(exchangeOf('m 1')).path).toBe('/run/acme/m%201/go')
  })

  it('brings answers and stream events into shape, and leaves other events as they came', () => {
    const { protocol } = encodedBy({ answers: { chat: (body) => ('odd' in body ? { even: body['odd'] } : body) } })
    const chat = protocol.codecs.chat
    expect(chat?.decode({ odd: 1 }, exchangeOf('m'))).toEqual({ even: 1 })
    const fine = { fine: true }
    expect(chat?.decode(fine, exchangeOf('m'))).toBe(fine)

    const decoder = chat?.decodeStream?.(exchangeOf('m'))
    const frame = new Uint8Array([1])
    expect(decoder?.push({ event: '', data: '{"odd":2}', frame })[0]?.forward).toEqual({
      event: '',
      data: '{"even":2}',
      frame: undefined,
    })
    const done = { event: '', data: '[DONE]', frame }
    expect(decoder?.push(done)[0]?.forward).toBe(done)
  })
})
