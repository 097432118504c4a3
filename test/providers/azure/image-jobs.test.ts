import { describe, expect, it } from 'vitest'
import { azure } from '../../../src/providers/azure/index.js'
import { codecIn, encode, exchange, thrownBy } from '../../protocols/further-exchange.js'

const images = codecIn(azure.protocol, 'images')
const old = { baseUrl: 'https://r.openai.azure.com', apiVersion: '2023-06-01-preview', model: 'dall-e-2' }
const of = exchange('images', {}, old)

describe('images of the API versions of 2023', () => {
  it('are a job at the resource', () => {
    const { sent, body } = encode(images, 'images', { prompt: 'a cat', n: 2, size: '512x512' }, old)
    expect(sent.path).toBe('/openai/images/generations:submit?api-version=2023-06-01-preview')
    expect(body).toMatchObject({ prompt: 'a cat', n: 2, size: '512x512' })
    const inPath = encode(images, 'images', {}, { ...old, baseUrl: 'https://r.openai.azure.com/openai' })
    expect(inPath.sent.path).toBe('/images/generations:submit?api-version=2023-06-01-preview')
  })

  it('are asked for until they are there', () => {
    for (const status of ['notRunning', 'running']) {
      expect(images.next?.({ id: 'f5-08', status }, of)).toMatchObject({
        request: { method: 'GET', path: '/openai/operations/images/f5-08?api-version=2023-06-01-preview' },
      })
    }
    const done = {
      id: 'f5-08',
      status: 'succeeded',
      result: { created: 7, data: [{ url: 'https://files.test/a.png' }] },
    }
    expect(images.next?.(done, of)).toBeUndefined()
    expect(images.decode(done, of)).toMatchObject({ data: [{ url: 'https://files.test/a.png' }] })
  })

  it('fail with the words of the job', () => {
    const error = { code: 'contentFilter', message: 'Your task failed as a result of our safety system.' }
    expect(thrownBy(() => images.next?.({ id: 'a', status: 'failed', error }, of))).toMatchObject({
      kind: 'content_policy',
      message: error.message,
    })
    const broken = { code: 'InternalOperationFailure', message: 'Try again.' }
    expect(thrownBy(() => images.next?.({ id: 'a', status: 'failed', error: broken }, of)).kind).toBe('upstream_error')
    expect(thrownBy(() => images.next?.({ id: '../x', status: 'running' }, of)).kind).toBe('upstream_invalid')
    expect(thrownBy(() => images.next?.({ id: 'a', status: 'cancelled' }, of)).kind).toBe('upstream_invalid')
  })

  it('are made at once by every other version', () => {
    const now = { ...old, apiVersion: '2024-02-01' }
    expect(encode(images, 'images', {}, now).sent.path).toContain('/deployments/dall-e-2/images/generations?')
    expect(images.next?.({ created: 1, data: [] }, exchange('images', {}, now))).toBeUndefined()
  })
})
