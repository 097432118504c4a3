import { describe, expect, it } from 'vitest'
import { parseDataUrl } from '../../src/protocols/data-url.js'

describe('a data URL', () => {
  it('is split into media type and payload', () => {
    expect(parseDataUrl('data:image/PNG;base64,AA==')).toEqual({ mediaType: 'image/png', base64: 'AA==' })
    expect(parseDataUrl('data:text/plain;charset=utf-8;BASE64,AA,A')).toEqual({
      mediaType: 'text/plain',
      base64: 'AA,A',
    })
    expect(parseDataUrl('data:;base64,AA')).toEqual({ mediaType: 'application/octet-stream', base64: 'AA' })
  })

  it.each(['https://x/y.png', 'data:text/plain,hello', 'data:image/png;base64', ''])('is not %j', (url) => {
    expect(parseDataUrl(url)).toBeUndefined()
  })
})
