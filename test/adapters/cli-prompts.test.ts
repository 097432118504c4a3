import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runCli } from '../../adapters/cli/run.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'
import { sendJson } from '../contracts/http-client.js'

let upstream: FakeUpstream
let folder: string

beforeAll(async () => {
  upstream = await startFakeUpstream()
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
  mkdirSync(join(folder, 'prompts'))
  writeFileSync(join(folder, 'prompts', 'polite.prompt'), '---\ntemperature: 0.2\n---\nSystem: Say {{word}}.\n')
  writeFileSync(join(folder, 'outside.prompt'), 'System: Not for you.\n')
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

it('models of dotprompt/ have the prompts of the folder that the file names, and no others', async () => {
  const file = join(folder, 'config.json')
  const litellm_params = {
    model: 'dotprompt/openai/demo',
    prompt_id: 'polite',
    api_key: 'k',
    api_base: `${upstream.url}/v1`,
  }
  const config = {
    model_list: [{ model_name: 'chatbot', litellm_params }],
    litellm_settings: { global_prompt_directory: 'prompts' },
    general_settings: { master_key: 'sk-master' },
  }
  writeFileSync(file, JSON.stringify(config))
  let out = ''
  const io = { env: {}, out: (text: string) => void (out += text), error: () => {} }
  const outcome = await runCli(['--config', file, '--port', '0'], io)
  if (!('stop' in outcome)) throw new Error('it does not run')
  const base = /listening on (\S+)/.exec(out)?.[1] ?? ''
  const ask = (own: object) =>
    sendJson(
      `${base}/v1/chat/completions`,
      { model: 'chatbot', messages: [{ role: 'user', content: 'Hi' }], prompt_variables: { word: 'please' }, ...own },
      { headers: { authorization: 'Bearer sk-master' } },
    )
  expect((await ask({})).status).toBe(200)
  expect(upstream.requests.at(-1)?.body).toMatchObject({
    model: 'demo',
    temperature: 0.2,
    messages: [{ role: 'system', content: 'Say please.' }, { content: 'Hi' }],
  })
  expect((await ask({ prompt_id: '../outside' })).status).toBe(400)
  await outcome.stop()
})
