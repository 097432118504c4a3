import { describe, expect, it } from 'vitest'
import { wholeGateway } from '../../adapters/whole-description.js'
import { runCli } from '../../adapters/cli/run.js'
import { createGateway, type Mountable } from '../../src/index.js'
import { type JsonObject, isObject } from '../../src/wire/json.js'
import { jsonOf } from '../support/gateway.js'
import { requestOf } from '../support/http-request.js'
import { lintDocument } from './linter.js'
import { operationsOf } from './operations.js'

const gateway = createGateway<never>({ models: [], auth: 'none', debug: true })

async function read(api: Mountable<never>): Promise<JsonObject> {
  const answer = await api.handle(requestOf('GET', '/openapi.json') as never)
  if (!answer) throw new Error('no description')
  return jsonOf(answer)
}

const documents: Readonly<Record<string, JsonObject>> = {
  'of a gateway': await read(gateway),
  'of its management API': await read(gateway.admin),
  'of both on one server': await read(wholeGateway(gateway)),
}

describe.each(Object.entries(documents))('the document %s', (_, document) => {
  it('passes the linter without errors and warnings', async () => {
    expect(await lintDocument(document)).toEqual([])
  })

  it('begins its paths beside itself', () => {
    expect(document['servers']).toEqual([{ url: '.' }])
  })
})

describe('what is described', () => {
  const pathsOf = (name: string): readonly string[] => operationsOf(documents[name] ?? {}).map(({ path }) => path)

  it('is what is served there, and nothing else', async () => {
    const served = { 'of a gateway': gateway, 'of its management API': gateway.admin } as const
    for (const [name, api] of Object.entries(served)) {
      const own = pathsOf(name)
      expect(own.length).toBeGreaterThan(15)
      for (const path of own) expect(api.handle(requestOf('OPTIONS', path) as never), path).toBeNull()
      for (const path of own)
        expect(await api.handle(requestOf('PUT', path) as never), path).toMatchObject({ status: 405 })
    }
    expect(pathsOf('of a gateway')).not.toContain('/key/generate')
    expect(pathsOf('of its management API')).not.toContain('/v1/chat/completions')
  })

  it('is both APIs where both are served', () => {
    const all = new Set([...pathsOf('of a gateway'), ...pathsOf('of its management API')])
    expect(new Set(pathsOf('of both on one server'))).toEqual(all)
  })

  it('is both APIs at the stand-alone server', async () => {
    const out: string[] = []
    const write = (text: string): void => void out.push(text)
    const running = await runCli(['--port', '0'], { env: {}, out: write, error: write })
    if (!('stop' in running)) throw new Error(out.join(''))
    try {
      const url = /listening on (\S+)/.exec(out.join(''))?.[1] ?? ''
      const document = (await (await fetch(`${url}/openapi.json`)).json()) as JsonObject
      const paths = operationsOf(document).map(({ path }) => path)
      expect(paths).toEqual(expect.arrayContaining(['/v1/chat/completions', '/key/generate', '/health/liveliness']))
      // The debug endpoints are off.
      expect(paths.filter((path) => path.startsWith('/debug'))).toEqual([])
    } finally {
      await running.stop()
    }
  })

  it('has a description for every query parameter and every tag', () => {
    for (const { name, parameters } of operationsOf(documents['of both on one server'] ?? {})) {
      for (const parameter of parameters)
        expect(parameter, name).toMatchObject({ description: expect.stringMatching(/\w/) })
    }
    const tags = documents['of both on one server']?.['tags']
    for (const tag of Array.isArray(tags) ? tags : []) expect(tag.description, tag.name).not.toBe(tag.name)
  })

  it('shows no made-up text in the examples of answers', () => {
    const made = operationsOf(documents['of both on one server'] ?? {}).filter(({ responses }) =>
      holds(responses[200], 'text'),
    )
    expect(made.map(({ name }) => name)).toEqual([])
  })
})

/** Whether an example says no more than that there is a text. */
function holds(described: unknown, text: string): boolean {
  if (!isObject(described)) return false
  const contents = Object.values(isObject(described['content']) ? described['content'] : {})
  return contents.some(
    (content) => isObject(content) && JSON.stringify(content['examples'] ?? '').includes(`:"${text}"`),
  )
}
