import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createConnection } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import OpenAI from 'openai'
import { Agent, request } from 'undici'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { parseArguments, UsageError } from '../../adapters/cli/arguments.js'
import { createMasterKey, runCli } from '../../adapters/cli/run.js'
import { startServer } from '../../adapters/cli/server.js'
import { startFakeUpstream, type FakeUpstream } from '../../src/testing/index.js'
import { version } from '../../src/version.js'
import { type CompiledSources, compileSources } from '../support/compiled-sources.js'

const run = promisify(execFile)
const secret = 'sk-upstream-secret-0123456789'

let sources: CompiledSources
let folder: string
let upstream: FakeUpstream
const children = new Set<ChildProcess>()

beforeAll(async () => {
  sources = compileSources()
  folder = sources.folder
  upstream = await startFakeUpstream()
}, 120_000)
afterEach(() => {
  for (const child of children) child.kill('SIGKILL')
  children.clear()
})
afterAll(async () => {
  await upstream.close()
  sources.remove()
})

interface Running {
  readonly child: ChildProcess
  readonly output: { out: string; error: string }
  readonly exit: Promise<number | null>
}

function start(words: readonly string[], env: Record<string, string> = {}): Running {
  const child = spawn(process.execPath, [join(folder, 'adapters/cli.js'), ...words], {
    cwd: folder,
    env: { PATH: process.env['PATH'] ?? '', ...env },
  })
  children.add(child)
  const output = { out: '', error: '' }
  child.stdout.on('data', (data: Buffer) => (output.out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (output.error += data.toString()))
  return { child, output, exit: once(child, 'close').then(([code]: (number | null)[]) => code ?? null) }
}

async function listening(running: Running): Promise<string> {
  for (;;) {
    const url = /^sluice listening on (http:\S+)$/m.exec(running.output.out)?.[1]
    if (url !== undefined) return url
    const ended = await Promise.race([
      running.exit.then(() => true),
      once(running.child.stdout ?? running.child, 'data').then(() => false),
    ])
    if (ended) throw new Error(`the program ended: ${running.output.error}`)
  }
}

/** The same program without a process of its own, for what ends before it serves. */
async function runHere(words: readonly string[], env: Record<string, string> = {}) {
  const output = { out: '', error: '' }
  const outcome = await runCli(words, {
    env,
    out: (text) => void (output.out += text),
    error: (text) => void (output.error += text),
  })
  if ('stop' in outcome) await outcome.stop()
  return { code: 'exitCode' in outcome ? outcome.exitCode : undefined, ...output }
}

async function runToEnd(words: readonly string[], env: Record<string, string> = {}) {
  const running = start(words, env)
  const code = await running.exit
  return { code, ...running.output }
}

function writeConfig(text: string, name = 'config.yaml'): string {
  const file = join(folder, name)
  writeFileSync(file, text)
  return file
}

function litellmConfig(): string {
  return `
model_list:
  - model_name: fast
    litellm_params:
      model: openai/demo   # any server of OpenAI's dialect
      api_base: ${upstream.url}/v1
      api_key: os.environ/UPSTREAM_KEY
      temperature: 0.25
      timeout: 20
    model_info: { id: one }
  - model_name: claude
    litellm_params: { model: anthropic/demo, api_base: ${upstream.url}, api_key: os.environ/UPSTREAM_KEY }
  - model_name: slow
    litellm_params: { model: openai/trickle-400ms, api_base: ${upstream.url}/v1, api_key: x }
  - model_name: hang
    litellm_params: { model: openai/hang, api_base: ${upstream.url}/v1, api_key: x }
litellm_settings:
  num_retries: 0
  set_verbose: true
router_settings:
  routing_strategy: least-busy
general_settings:
  master_key: sk-master
`
}

function serveConfig(): Running {
  return start(['--config', writeConfig(litellmConfig()), '--port', '0'], { UPSTREAM_KEY: secret })
}

function clientOf(url: string, apiKey = 'sk-master'): OpenAI {
  return new OpenAI({ baseURL: `${url}/v1`, apiKey, maxRetries: 0 })
}

const messages = [{ role: 'user' as const, content: 'one two three four' }]

describe('sluice --config', () => {
  it('serves a LiteLLM file, prints one line, and warns about what has no effect', async () => {
    const running = serveConfig()
    const url = await listening(running)
    upstream.reset()
    const answer = await clientOf(url).chat.completions.create({ model: 'fast', messages })
    expect(answer.choices[0]?.message.content).toBe('You said: one two three four')
    expect(upstream.requests[0]).toMatchObject({
      headers: { authorization: `Bearer ${secret}` },
      body: { model: 'demo', temperature: 0.25 },
    })
    const claude = await clientOf(url).chat.completions.create({ model: 'claude', messages })
    expect(claude.choices[0]?.message.content).toBe('You said: one two three four')
    expect(running.output.out).toBe(`sluice listening on ${url}\n`)
    expect(running.output.error.match(/.*warning: .*/g)).toEqual([
      'sluice: warning: litellm_settings.set_verbose: known to LiteLLM but not supported yet; ignored',
    ])
  })

  it('lets nobody in without the master key', async () => {
    const url = await listening(serveConfig())
    await expect(clientOf(url, 'sk-wrong').models.list()).rejects.toMatchObject({ status: 401 })
    expect((await clientOf(url).models.list()).data.map(({ id }) => id)).toEqual(['fast', 'claude', 'slow', 'hang'])
  })

  it('makes a master key where the file has none, and prints it once', async () => {
    const config = writeConfig(litellmConfig().replace('  master_key: sk-master', '  {}'), 'open.yaml')
    const running = start(['-c', config, '-p', '0'], { UPSTREAM_KEY: secret })
    const url = await listening(running)
    const keys = running.output.error.match(/sk-[\w-]{32}/g)
    expect(keys).toHaveLength(1)
    expect((await clientOf(url, keys?.[0]).models.list()).data).toHaveLength(4)
    await expect(clientOf(url).models.list()).rejects.toMatchObject({ status: 401 })
  })

  it('exits with 1 and every problem, without a stack or a secret', async () => {
    const text = litellmConfig().replace('num_retries: 0', `drop_parms: ${secret}`)
    const ended = await runToEnd(['--config', writeConfig(text, 'wrong.yaml')])
    expect(ended).toMatchObject({ code: 1, out: '' })
    expect(ended.error.trim().split('\n')).toEqual([
      'sluice: litellm_settings.drop_parms: unknown key; did you mean drop_params?',
      'sluice: model_list[0].litellm_params.api_key: environment variable UPSTREAM_KEY is not set',
      'sluice: model_list[1].litellm_params.api_key: environment variable UPSTREAM_KEY is not set',
    ])
  })

  it.each([
    ['a file that is not there', () => 'missing.yaml', /cannot read missing\.yaml: there is no such file/],
    ['a folder', () => folder, /it is a directory/],
    ['text that is not YAML', () => writeConfig(`a: [${secret}`, 'bad.yaml'), /bad\.yaml:1:\d+/],
    ['a list', () => writeConfig('- a', 'list.yaml'), /must be a map/],
    [
      'a provider that nobody knows',
      () =>
        writeConfig('model_list: [{model_name: a, litellm_params: {model: nowhere/b, api_key: k}}]', 'nowhere.yaml'),
      /nowhere\/b/,
    ],
  ])('exits with 1 for %s', async (_, file, expected) => {
    const ended = await runHere(['--config', file(), '--port', '0'])
    expect(ended).toMatchObject({ code: 1, out: '' })
    expect(ended.error).toMatch(expected)
    expect(ended.error).not.toMatch(/^\s+at /m)
    expect(ended.error).not.toContain(secret)
  })

  it('exits with 1 where the port is taken', async () => {
    const { port } = new URL(upstream.url)
    const ended = await runHere(['--config', writeConfig(litellmConfig()), '--port', port], { UPSTREAM_KEY: 'k' })
    expect(ended).toMatchObject({ code: 1, out: '' })
    expect(ended.error).toContain(`sluice: 127.0.0.1:${port} is already in use; choose another one with --port`)
  })
})

describe('sluice --model', () => {
  it('serves one model with the key of the environment', async () => {
    const env = { OPENAI_API_KEY: secret, OPENAI_BASE_URL: `${upstream.url}/v1` }
    const running = start(['--model', 'openai/demo', '--port', '0'], env)
    const url = await listening(running)
    upstream.reset()
    const client = clientOf(url, /sk-[\w-]{32}/.exec(running.output.error)?.[0])
    const answer = await client.chat.completions.create({ model: 'openai/demo', messages })
    expect(answer.choices[0]?.message.content).toContain('one two three four')
    expect(upstream.requests[0]?.headers['authorization']).toBe(`Bearer ${secret}`)
  })

  it('exits with 1 and names the variable when there is no key', async () => {
    const ended = await runHere(['--model', 'openai/gpt-5-mini', '--port', '0'])
    expect(ended.code).toBe(1)
    expect(ended.error).toContain('OPENAI_API_KEY')
  })
})

describe('sluice without arguments', () => {
  it('serves a demo whose printed commands work as they are', async () => {
    const running = start(['--port', '0'])
    await listening(running)
    const commands = running.output.error.split('\n').filter((line) => line.startsWith('curl '))
    const answers: string[] = []
    for (const command of commands) answers.push((await run('sh', ['-c', `${command} -sS --fail-with-body`])).stdout)
    const [chat = '', stream = '', embeddings = '', images = '', models = ''] = answers
    expect(JSON.parse(chat)).toMatchObject({ choices: [{ message: { content: 'You said: Hello from Sluice' } }] })
    expect(stream.trimEnd().endsWith('data: [DONE]')).toBe(true)
    expect(JSON.parse(embeddings)).toMatchObject({
      data: [{ embedding: [expect.any(Number), {}, {}, {}].map(() => expect.any(Number)) }],
    })
    expect(JSON.parse(images)).toMatchObject({ data: [{ b64_json: expect.stringMatching(/^iVBOR/) }] })
    expect(JSON.parse(models)).toMatchObject({
      data: ['demo', 'demo-embeddings', 'demo-images', 'demo-moderation', 'fake/*'].map((id) => ({ id })),
    })
    expect(running.output.out.trim().split('\n')).toHaveLength(1)
  })

  it('takes faults as model names, and lets real providers join by their keys', async () => {
    const running = start(['--port', '0'], { OPENAI_API_KEY: 'k', ANTHROPIC_API_KEY: 'k' })
    const client = clientOf(await listening(running), /sk-[\w-]{32}/.exec(running.output.error)?.[0])
    await expect(client.chat.completions.create({ model: 'fake/status-401', messages })).rejects.toMatchObject({
      status: 401,
    })
    const stream = await client.chat.completions.create({ model: 'fake/cut-5', messages, stream: true })
    await expect(
      (async () => {
        for await (const chunk of stream) void chunk
      })(),
    ).rejects.toThrow()
    const names = (await client.models.list()).data.map(({ id }) => id)
    expect(names).toEqual(expect.arrayContaining(['openai/*', 'anthropic/*']))
    expect(running.output.error).toContain('openai/*, ')
  })
})

describe('stopping', () => {
  async function streamSlowly(url: string) {
    return clientOf(url).chat.completions.create({ model: 'slow', messages, stream: true })
  }

  it.each(['SIGTERM', 'SIGINT'] as const)(
    'finishes a running stream after %s, takes no new ones, and exits with 0',
    async (signal) => {
      const running = serveConfig()
      const url = await listening(running)
      const stream = await streamSlowly(url)
      const iterator = stream[Symbol.asyncIterator]()
      const first = await iterator.next()
      expect(first.done).toBe(false)
      running.child.kill(signal)
      await untilRefused(url)
      expect(running.child.exitCode).toBeNull()
      let finish: string | null | undefined
      for (let step = await iterator.next(); !step.done; step = await iterator.next())
        finish = step.value.choices[0]?.finish_reason ?? finish
      expect(finish).toBe('stop')
      expect(await running.exit).toBe(0)
    },
  )

  it('does not wait for idle keep-alive connections', async () => {
    const running = serveConfig()
    const url = await listening(running)
    const agent = new Agent({ keepAliveTimeout: 60_000 })
    const answer = await request(`${url}/health/liveliness`, { dispatcher: agent })
    await answer.body.text()
    const start = performance.now()
    running.child.kill('SIGTERM')
    expect(await running.exit).toBe(0)
    expect(performance.now() - start).toBeLessThan(10_000)
    await agent.close()
  })

  it('exits at once with 130 on a second signal', async () => {
    const running = serveConfig()
    const url = await listening(running)
    upstream.reset()
    const call = clientOf(url)
      .chat.completions.create({ model: 'hang', messages })
      .catch(() => 'gone')
    const entry = await upstream.received(1)
    running.child.kill('SIGTERM')
    await untilRefused(url)
    expect(running.child.exitCode).toBeNull()
    running.child.kill('SIGINT')
    expect(await running.exit).toBe(130)
    expect(await call).toBe('gone')
    await entry.closed
    expect(entry.aborted).toBe(true)
  })

  it('drops what has not ended when the time for draining is over', async () => {
    const server = await startServer((_, response) => void response.write('never ends'), '127.0.0.1', 0)
    const answer = await request(server.url)
    const broken = answer.body.text().catch(() => 'broken')
    const start = performance.now()
    await server.stop(async () => {}, 150)
    expect(performance.now() - start).toBeGreaterThan(140)
    expect(await broken).toBe('broken')
  })

  it('puts IPv6 addresses in brackets', async () => {
    if (!(await canListen('::1'))) return console.log('skipped: this machine has no IPv6')
    const server = await startServer((_, response) => void response.end('ok'), '::1', 0)
    expect(server.url).toMatch(/^http:\/\/\[::1\]:\d+$/)
    expect((await request(server.url)).statusCode).toBe(200)
    await server.stop(async () => {}, 1000)
  })
})

describe('the command line', () => {
  it('prints help and version to stdout', async () => {
    expect(await runHere(['--version'])).toMatchObject({ code: 0, out: `${version}\n`, error: '' })
    const help = await runHere(['--help'])
    expect(help).toMatchObject({ code: 0, error: '' })
    for (const option of ['--config', '--model', '--host', '--port']) expect(help.out).toContain(option)
  })

  it('answers an unknown option with the usage and exit code 2', async () => {
    const ended = await runToEnd(['--prot', '4000'])
    expect(ended).toMatchObject({ code: 2, out: '' })
    expect(ended.error).toMatch(/--prot[\s\S]*Usage: sluice/)
  })

  it.each([
    [['--port', '70000']],
    [['--port', '-1']],
    [['--port', 'x']],
    [['--port']],
    [['config.yaml']],
    [['--config', 'a', '--model', 'b/c']],
    [['--host', '']],
  ])('refuses %j', (words) => {
    expect(() => parseArguments(words)).toThrow(UsageError)
  })

  it('has defaults, short names, and takes IPv6 hosts with or without brackets', () => {
    expect(parseArguments([])).toMatchObject({ host: '127.0.0.1', port: 4000, config: undefined, model: undefined })
    expect(parseArguments(['-c', 'a.yaml', '-p', '0', '--host', '[::1]'])).toMatchObject({
      config: 'a.yaml',
      port: 0,
      host: '::1',
    })
  })

  it('makes master keys of 32 url-safe characters, each another one', () => {
    expect(createMasterKey()).toMatch(/^sk-[A-Za-z0-9_-]{32}$/)
    expect(createMasterKey()).not.toBe(createMasterKey())
  })
})

function connectTo(url: string): Promise<void> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = createConnection(Number(port), hostname, () => {
      socket.destroy()
      resolve()
    }).on('error', reject)
  })
}

/** Resolves once nobody accepts connections any more. */
async function untilRefused(url: string): Promise<void> {
  for (;;) {
    const code: unknown = await connectTo(url).catch((error: NodeJS.ErrnoException) => error.code)
    if (code === 'ECONNREFUSED') return
    await new Promise((resolve) => void setTimeout(resolve, 20))
  }
}

function canListen(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer().once('error', () => resolve(false))
    probe.listen(0, host, () => probe.close(() => resolve(true)))
  })
}
