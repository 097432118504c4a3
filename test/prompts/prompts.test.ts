import { describe, expect, it } from 'vitest'
import type { OutboundRequest } from '../../src/ports/outbound-http.js'
import {
  createPrompts,
  detectPromptStore,
  filePrompts,
  langfusePrompts,
  managedPrompt,
  type PromptStore,
  textPrompts,
} from '../../src/prompts/index.js'
import type { ChatRequest } from '../../src/wire/chat.js'
import { FakeClock } from '../support/fake-clock.js'

const log = (): void => {}
const logger = { debug: log, info: log, warn: log, error: log }

function lab(stores: Record<string, PromptStore>) {
  const clock = new FakeClock()
  return { clock, prompts: createPrompts(stores, { clock, logger, deadlineMs: 100, ttlMs: 1_000 }) }
}

const ask = (more: object = {}): ChatRequest => ({ model: 'm', messages: [{ role: 'user', content: 'Go.' }], ...more })

const greeting = `---
model: gpt-5-mini
temperature: 0.2
input:
  schema: text
secret_setting: 1
---
System: Speak {{ language }}.
Be kind.
User: I am {{name}}.
`

describe('a prompt', () => {
  const { prompts } = lab({
    files: textPrompts({
      greet: greeting,
      'greet.v1': 'Hello {{name}}',
      json: '{"messages":[{"role":"system","content":"S"}],"config":{"top_p":0.5}}',
    }),
  })

  it('comes before the conversation, with its variables, model and parameters', async () => {
    const request = ask({
      prompt_id: 'greet',
      prompt_variables: { language: 'Welsh', name: '{{language}}' },
      temperature: 1,
      user: 'u',
    })
    expect(await prompts.apply(request)).toEqual({
      model: 'gpt-5-mini',
      temperature: 0.2,
      user: 'u',
      messages: [
        { role: 'system', content: 'Speak Welsh.\nBe kind.' },
        { role: 'user', content: 'I am {{language}}.' },
        { role: 'user', content: 'Go.' },
      ],
    })
  })

  it('leaves model and parameters to the request that says so', async () => {
    const request = ask({
      prompt_id: 'greet',
      prompt_variables: { language: 'a', name: 'b' },
      temperature: 1,
      ignore_prompt_manager_model: true,
      ignore_prompt_manager_optional_params: true,
    })
    expect(await prompts.apply(request)).toMatchObject({ model: 'm', temperature: 1 })
  })

  it('is chosen by version, also where it is a number, and by what a deployment says', async () => {
    const variables = { prompt_variables: { name: 'Bo' } }
    expect((await prompts.apply(ask({ prompt_id: 'greet', prompt_version: 1, ...variables })))?.messages[0]).toEqual({
      role: 'user',
      content: 'Hello Bo',
    })
    expect((await prompts.apply(ask(variables), { id: 'greet', version: '1' }))?.messages[0]?.content).toBe('Hello Bo')
    expect(await prompts.apply(ask(), { id: 'json', store: 'files' })).toMatchObject({
      top_p: 0.5,
      messages: [{ content: 'S' }, { content: 'Go.' }],
    })
  })

  it('takes no part where none is named', () => {
    expect(prompts.apply(ask())).toBeUndefined()
  })

  it.each([
    [{ prompt_id: 'none' }, 'prompt_id'],
    [{ prompt_id: 7 }, 'prompt_id'],
    [{ prompt_id: 'greet' }, 'prompt_variables'],
    [{ prompt_id: 'greet', prompt_variables: { name: 'toString' } }, 'prompt_variables'],
    [{ prompt_id: 'greet', prompt_variables: [] }, 'prompt_variables'],
  ])('%j is a 400 that names the field', async (fields, param) => {
    await expect((async () => prompts.apply(ask(fields)))()).rejects.toMatchObject({ status: 400, param })
  })
})

describe('prompts in files', () => {
  it('are read by names that stay in their folder', async () => {
    const read: string[] = []
    const { prompts } = lab({
      files: filePrompts((name) => (read.push(name), name === 'team/hello.v2.json' ? '{"prompt":"Hi"}' : undefined)),
    })
    expect((await prompts.apply(ask({ prompt_id: 'team/hello', prompt_version: '2' })))?.messages[0]?.content).toBe(
      'Hi',
    )
    expect(read).toEqual(['team/hello.v2.prompt', 'team/hello.v2.json'])
    for (const id of ['../etc/passwd', '/etc/passwd', 'a/../b', '.env', 'a\\b', 'a//b', 'a\u0000b']) {
      await expect(prompts.apply(ask({ prompt_id: id }))).rejects.toMatchObject({ status: 400 })
    }
    await expect(prompts.apply(ask({ prompt_id: 'a', prompt_version: '../b' }))).rejects.toMatchObject({ status: 400 })
    expect(read).toHaveLength(2)
  })
})

describe('prompts in Langfuse', () => {
  const answers = {
    '/api/public/v2/prompts/a%2Fb?version=3': {
      name: 'a/b',
      version: 3,
      type: 'chat',
      prompt: [{ role: 'system', content: 'Be {{tone}}' }],
      config: { model: 'gpt-5', temperature: 0, other: 1 },
      labels: [],
    },
  }
  const http = () => {
    const requests: OutboundRequest[] = []
    const send = async (request: OutboundRequest) => {
      requests.push(request)
      const found = new Map<string, unknown>(Object.entries(answers)).get(request.url.replace('https://fuse.test', ''))
      return found ? { status: 200, text: JSON.stringify(found) } : { status: 404, text: '{}' }
    }
    return { requests, send }
  }

  it('are asked for as its API says', async () => {
    const { requests, send } = http()
    const { prompts } = lab({
      langfuse: langfusePrompts({ publicKey: 'pk', secretKey: 'sk', baseUrl: 'https://fuse.test/' }, send),
    })
    const request = ask({ prompt_id: 'a/b', prompt_version: '3', prompt_variables: { tone: 'kind' } })
    expect(await prompts.apply(request)).toMatchObject({
      model: 'gpt-5',
      temperature: 0,
      messages: [{ content: 'Be kind' }, { content: 'Go.' }],
    })
    expect(requests).toEqual([
      {
        method: 'GET',
        url: 'https://fuse.test/api/public/v2/prompts/a%2Fb?version=3',
        headers: { authorization: `Basic ${Buffer.from('pk:sk').toString('base64')}`, accept: 'application/json' },
      },
    ])
    await expect(prompts.apply(ask({ prompt_id: 'x', prompt_label: 'staging' }))).rejects.toMatchObject({ status: 400 })
    expect(requests[1]?.url).toBe('https://fuse.test/api/public/v2/prompts/x?label=staging')
  })
})

describe('a store of prompts', () => {
  const prompt = { id: 'a', version: '1', messages: [{ role: 'user', content: 'P' }], parameters: {} } as const

  it('is asked once for many calls, and again when its answer is old', async () => {
    let asked = 0
    const { prompts, clock } = lab({ own: { find: async () => ((asked += 1), prompt) } })
    await Promise.all([1, 2, 3].map(async () => prompts.apply(ask({ prompt_id: 'a' }))))
    await prompts.apply(ask({ prompt_id: 'a' }))
    expect(asked).toBe(1)
    clock.advance(1_000)
    await prompts.apply(ask({ prompt_id: 'a' }))
    expect(asked).toBe(2)
  })

  it('that is down is made up for by what is remembered, else the call fails with 503', async () => {
    let isDown = false
    const { prompts, clock } = lab({ own: { find: () => (isDown ? Promise.reject(new Error('down')) : prompt) } })
    await prompts.apply(ask({ prompt_id: 'a' }))
    isDown = true
    clock.advance(1_000)
    expect((await prompts.apply(ask({ prompt_id: 'a' })))?.messages[0]?.content).toBe('P')
    await expect(prompts.apply(ask({ prompt_id: 'b' }))).rejects.toMatchObject({
      status: 503,
      code: 'prompt_unavailable',
    })
  })

  it('that hangs is left at its deadline', async () => {
    const signals: AbortSignal[] = []
    const { prompts, clock } = lab({ own: { find: (_, signal) => (signals.push(signal), new Promise(() => {})) } })
    const late = expect(prompts.apply(ask({ prompt_id: 'a' }))).rejects.toMatchObject({ status: 503 })
    await Promise.resolve()
    await Promise.resolve()
    clock.advance(100)
    await late
    expect(signals[0]?.aborted).toBe(true)
    expect(clock.pending).toBe(0)
  })
})

describe('whether a deployment is managed', () => {
  const stores = new Set(['langfuse', 'langfuse_prompt'])

  it.each([
    ['langfuse/gpt-4o', { store: 'langfuse', model: 'gpt-4o' }],
    ['langfuse_prompt/actual_id', { store: 'langfuse_prompt', model: 'actual_id' }],
    ['langfuse/openai/gpt-4o', { store: 'langfuse', model: 'openai/gpt-4o' }],
    ['openai/langfuse', undefined],
    ['langfuse', undefined],
    ['/langfuse', undefined],
    ['my-langfuse/x', undefined],
  ])('%s', (model, managed) => {
    expect(detectPromptStore(model, stores)).toEqual(managed)
  })

  it('is so of a group only where it has one deployment', () => {
    const one = { prompt: { store: 'langfuse', id: 'x' } }
    expect(managedPrompt([one])).toBe(one.prompt)
    expect(managedPrompt([one, one])).toBeUndefined()
    expect(managedPrompt([{}])).toBeUndefined()
    expect(managedPrompt([])).toBeUndefined()
  })
})
