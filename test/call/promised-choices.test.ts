import { afterEach, describe, expect, it } from 'vitest'
import { defineProvider } from '../../src/index.js'
import type { Quirks } from '../../src/protocols/openai/quirks.js'
import { anyCaller } from '../support/deployment.js'
import { createUpstreamLab } from '../support/upstream-lab.js'

const lab = createUpstreamLab()
afterEach(() => lab.close())

/** A gateway before a server that streams one choice, whatever it is asked for; `asked` is what came to it. */
async function start(quirks: Quirks) {
  const choice = (delta: object, reason: string | null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: reason }] })}\n\n`
  const { url, asked } = await lab.serve((response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    response.end(`${choice({ role: 'assistant', content: 'one' }, null)}${choice({}, 'stop')}data: [DONE]\n\n`)
  })
  const gateway = lab.start({
    providers: [defineProvider({ name: 'single', baseUrl: url, quirks })],
    models: [{ modelName: 'm', model: 'single/m' }],
    auth: { identify: () => anyCaller },
    retries: 0,
    dropParams: true,
  })
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
    expect(asked.map(({ body }) => body['n'])).toEqual([2])
    expect(await read(1)).toBe('one')
  })

  it('is whole where the provider was not told of the others', async () => {
    const { asked, read } = await start({ unsupported: ['n'] })
    expect(await read(2)).toBe('one')
    expect(asked.map(({ body }) => body['n'])).toEqual([undefined])
  })
})
