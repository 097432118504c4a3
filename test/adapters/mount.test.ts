import { describe, expect, it } from 'vitest'
import { mountPrefix, splitTarget } from '../../adapters/mount.js'

describe('splitTarget', () => {
  const rows: readonly [string | undefined, string, string | null, string?][] = [
    ['/v1/chat', '', '/v1/chat'],
    ['/v1/chat?a=1?b', '', '/v1/chat', 'a=1?b'],
    ['/', '', '/'],
    ['?a=1', '', '/', 'a=1'],
    ['', '', '/'],
    [undefined, '', '/'],
    ['*', '', '*'],
    ['/llm/v1/chat', '/llm', '/v1/chat'],
    ['/llm', '/llm', '/'],
    ['/llm/', '/llm', '/'],
    ['/llm?a=1', '/llm', '/', 'a=1'],
    ['/llmx/v1', '/llm', null],
    ['/ll', '/llm', null],
    ['/LLM/v1', '/llm', null],
    ['/%6clm/v1', '/llm', null],
    ['//llm/v1', '/llm', null],
    ['/llm//v1', '/llm', '//v1'],
    ['/llm/../v1', '/llm', '/../v1'],
    ['/v1/a%2Fb%3Fc', '', '/v1/a%2Fb%3Fc'],
    ['http://any.example/llm/v1?a=1', '/llm', '/v1', 'a=1'],
    ['HTTPS://any.example?a=1', '', '/', 'a=1'],
  ]
  for (const [url, prefix, path, search = ''] of rows) {
    it(`cuts ${url} below "${prefix}" to ${path}`, () => {
      expect(splitTarget(url, prefix)).toEqual(path === null ? null : { path, search })
    })
  }
})

describe('mountPrefix', () => {
  it('takes the root in every spelling, and no trailing slash', () => {
    expect([undefined, '', '/', '/llm', '/llm/', '/a/b//'].map(mountPrefix)).toEqual([
      '',
      '',
      '',
      '/llm',
      '/llm',
      '/a/b',
    ])
  })
})
