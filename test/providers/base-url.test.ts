import { describe, expect, it } from 'vitest'
import { checkBaseUrl, withoutEnding } from '../../src/providers/base-url.js'

describe('checkBaseUrl', () => {
  it('cuts off trailing slashes and white space', () => {
    expect(checkBaseUrl(' https://llm.example/v1// ', 'x')).toBe('https://llm.example/v1')
    expect(checkBaseUrl('http://127.0.0.1:8000', 'x')).toBe('http://127.0.0.1:8000')
  })

  it.each([
    ['llm.example/v1', /not a valid URL/],
    ['ftp://llm.example', /http:\/\/ or https:\/\//],
    ['file:///etc/passwd', /http:\/\/ or https:\/\//],
    ['https://user:secret@llm.example', /credentials/],
    ['https://llm.example/v1?key=secret', /query/],
    ['https://llm.example/v1#top', /fragment/],
  ])('refuses %s', (url, message) => {
    expect(() => checkBaseUrl(url, 'The baseUrl')).toThrow(message)
  })

  it('does not repeat a credential', () => {
    expect(() => checkBaseUrl('https://user:hunter2@llm.example', 'The baseUrl')).not.toThrow(/hunter2/)
    expect(() => checkBaseUrl('https://llm.example/?key=hunter2', 'The baseUrl')).not.toThrow(/hunter2/)
  })
})

describe('withoutEnding', () => {
  it('cuts off the first ending that is there', () => {
    expect(withoutEnding('https://a.example/v1/chat/completions', ['/chat/completions', '/completions'])).toBe(
      'https://a.example/v1',
    )
    expect(withoutEnding('https://a.example/v1', ['/chat/completions'])).toBe('https://a.example/v1')
  })
})
