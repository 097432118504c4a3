import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text as readText } from 'node:stream/consumers'
import { afterEach, describe, expect, it } from 'vitest'
import { createGateway, defineProvider, type Gateway } from '../../src/index.js'
import type { Quirks } from '../../src/protocols/openai/quirks.js'
import { isObject, parseJson } from '../../src/wire/json.js'
import { anyCaller } from '../support/deployment.js'

const servers: Server[] = []
const gateways: Gateway[] = []

afterEach(async () => {
  await Promise.all(gateways.splice(0).map((gateway) => gateway.close({ drainMs: 0 })))
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

/** A gateway before a server that streams one choice, whatever it is asked for; `asked` is the last `n` it was told. */
async function start(quirks: Quirks) {
  const asked: { n?: unknown } = {}
  const choice = (delta: object, reason: string | null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
  const server = createServer((request, response) => {
    void readText(request).then((text) => {
      const body = parseJson(text)
      asked.n = isObject(body) ? body['n'] : undefined
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      response.end(`${choice({ role: 'assistant', content: 'one' }, null)}${choice({}, 'stop')}data: [DONE]\n\n`)
    })
  })
  servers.push(server)
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const gateway = createGateway({
    providers: [defineProvider({ name: 'single', baseUrl, quirks })],
    models: [{ modelName: 'm', model: 'single/m' }],
    auth: { identify: () => anyCaller },
    retries: 0,
    dropParams: true,
  })
  gateways.push(gateway)
  const read = async (n: number): Promise<string> => {
    const said: string[] = []
    const messages = [{ role: 'user' as const, content: 'hi' }]
    for await (const chunk of gateway.stream('chat', { model: 'm', messages, n }, anyCaller)) {
      said.push(chunk.choices[0]?.delta.content ?? '')
    }
    return said.join('')
  }
  return { asked, read }
}

describe('a stream with fewer choices than were asked for', () => {
  it('was cut off, however cleanly it ended', async () => {
    const { asked, read } = await start({})
    await expect(read(2)).rejects.toMatchObject({ kind: 'stream_truncated' })
    expect(asked.n).toBe(2)
    expect(await read(1)).toBe('one')
  })

  it('is whole where the provider was not told of the others', async () => {
    const { asked, read } = await start({ unsupported: ['n'] })
    expect(await read(2)).toBe('one')
    expect(asked.n).toBeUndefined()
  })
})
