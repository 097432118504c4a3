import { describe, expect, it } from 'vitest'
import { bflProtocol } from '../../../src/protocols/bfl/index.js'
import type { JsonObject } from '../../../src/wire/json.js'
import { codecIn, encode, exchange, thrownBy } from '../further-exchange.js'

const images = codecIn(bflProtocol, 'images')

describe('a task', () => {
  it('is made of pixels, or of a ratio where the model knows no pixels', () => {
    const { sent, body } = encode(images, 'images', { size: '1024x768', seed: 1 }, { model: 'flux-2-pro' })
    expect(sent.path).toBe('/v1/flux-2-pro')
    expect(body).toEqual({ prompt: 'a cat', width: 1024, height: 768, seed: 1 })
    const ultra = encode(images, 'images', { size: '1024x768', n: 2 }, { model: 'flux-pro-1.1-ultra' })
    expect(ultra.body).toEqual({ prompt: 'a cat', aspect_ratio: '4:3', num_images: 2 })
    expect(thrownBy(() => encode(images, 'images', { n: 2 }, { model: 'flux-2-pro' })).message).toMatch(/parameter n /)
  })

  const next = (body: JsonObject, baseUrl?: string) => images.next?.(body, exchange('images', {}, { baseUrl }))
  const task = (url: string) => ({ id: 'abc', polling_url: url })

  it('is asked for in the region that took it', () => {
    const look = next(task('https://api.eu2.bfl.ai/v1/get_result?id=abc'))
    expect(look).toMatchObject({
      origin: 'https://api.eu2.bfl.ai',
      request: { method: 'GET', path: '/v1/get_result?id=abc' },
      delayMs: 1_000,
    })
    expect(next({ id: 'abc', status: 'Pending' })).toMatchObject({ request: { path: '/v1/get_result?id=abc' } })
  })

  it('never takes the key to a stranger', () => {
    const strange = [
      'https://evil.example/v1/get_result?id=abc',
      'https://api.bfl.ai.evil.example/x',
      'https://evilbfl.ai/x',
      'http://api.bfl.ai/v1/get_result?id=abc',
      'https://api.bfl.ai:8443/x',
      'https://api.bfl.ai@evil.example/x',
      'file:///etc/passwd',
      'no url',
    ]
    for (const url of strange) expect(thrownBy(() => next(task(url))).kind).toBe('upstream_invalid')
  })

  it('behind a proxy is asked for through the proxy', () => {
    const own = next(task('https://api.eu2.bfl.ai/v1/get_result?id=abc'), 'https://proxy.example/bfl')
    expect(own).toMatchObject({ request: { path: '/v1/get_result?id=abc' } })
    expect(own).not.toHaveProperty('origin')
    expect(thrownBy(() => next(task('https://elsewhere.example/x'), 'https://proxy.example/bfl')).kind).toBe(
      'upstream_invalid',
    )
  })

  it('ends with an image or with a reason', () => {
    const ready = { id: 'abc', status: 'Ready', result: { sample: 'https://delivery.bfl.ai/a.jpeg' } }
    expect(next(ready)).toBeUndefined()
    expect(images.decode(ready, exchange('images')).data).toEqual([{ url: 'https://delivery.bfl.ai/a.jpeg' }])
    const ended = (status: string) => {
      expect(next({ id: 'abc', status })).toBeUndefined()
      return thrownBy(() => images.decode({ id: 'abc', status }, exchange('images')))
    }
    expect(ended('Content Moderated')).toMatchObject({ kind: 'content_policy', status: 400 })
    expect(ended('Error').kind).toBe('upstream_error')
    expect(ended('Task not found').kind).toBe('upstream_not_found')
  })
})
