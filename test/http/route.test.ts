import { describe, expect, it } from 'vitest'
import { type Route, createRouteTable, defineRoute } from '../../src/http/route.js'

const route = (method: 'GET' | 'POST', ...paths: string[]): Route =>
  defineRoute({
    method,
    paths,
    access: 'public',
    summary: paths[0] ?? '',
    handle: () => ({ status: 200, headers: {}, body: null }),
  })

const table = createRouteTable([
  route('POST', '/v1/chat/completions', '/openai/deployments/{model}/chat/completions'),
  route('GET', '/v1/models'),
  route('GET', '/v1/models/{id+}'),
  route('POST', '/azure/{model+}/embeddings'),
])

function find(method: string, path: string): unknown {
  const found = table.find(method, path)
  if (!found) return undefined
  return 'route' in found ? { route: found.route.summary, params: found.params } : found
}

describe('createRouteTable', () => {
  it('finds fixed paths and paths with parameters', () => {
    expect(find('POST', '/v1/chat/completions')).toEqual({ route: '/v1/chat/completions', params: {} })
    expect(find('POST', '/openai/deployments/my%20model/chat/completions')).toEqual({
      route: '/v1/chat/completions',
      params: { model: 'my model' },
    })
  })

  it('takes the rest of the path where a name may hold slashes, encoded or not', () => {
    expect(find('GET', '/v1/models/anthropic/claude')).toMatchObject({ params: { id: 'anthropic/claude' } })
    expect(find('GET', '/v1/models/anthropic%2Fclaude')).toMatchObject({ params: { id: 'anthropic/claude' } })
  })

  it('takes as many segments as are left before a fixed end', () => {
    expect(find('POST', '/azure/fast/embeddings')).toMatchObject({ params: { model: 'fast' } })
    expect(find('POST', '/azure/openai/a%2Fb/c/embeddings')).toMatchObject({ params: { model: 'openai/a/b/c' } })
    expect(find('POST', '/azure/embeddings')).toBeUndefined()
    expect(find('POST', '/azure//embeddings')).toBeUndefined()
    expect(find('POST', '/azure//fast/embeddings')).toBeUndefined()
  })

  it('answers HEAD where GET is', () => {
    expect(find('HEAD', '/v1/models')).toMatchObject({ route: '/v1/models' })
  })

  it('tells the methods that a path allows', () => {
    expect(find('DELETE', '/v1/models')).toEqual({ allow: ['GET'] })
    expect(find('GET', '/openai/deployments/a/chat/completions')).toEqual({ allow: ['POST'] })
  })

  it.each([
    '/v1//chat/completions',
    '//v1/chat/completions',
    '/v1/chat/completions/',
    '/V1/chat/completions',
    '/v1/./chat/completions',
    '/v1/chat%2Fcompletions',
    '/v1/chat/completions;x',
    '/openai/deployments//chat/completions',
    '/openai/deployments/%E0%A4%A/chat/completions',
    '/openai/deployments/a/b/chat/completions',
    '/v1/models/',
    '/__proto__',
    '/constructor',
    '',
    '/',
  ])('does not know %j', (path) => {
    expect(find('POST', path)).toBeUndefined()
    expect(find('GET', path)).toBeUndefined()
  })
})
