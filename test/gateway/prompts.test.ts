import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { type GatewayOptions, createGateway, fromLiteLLMConfig, textPrompts } from '../../src/index.js'
import { ConfigError } from '../../src/config/config-error.js'
import { type RecordingServer, startRecordingServer } from '../callbacks/recording-server.js'
import { type GatewayLab, ask, chat, jsonOf, startGatewayLab } from '../support/gateway.js'
import { anyCaller } from '../support/deployment.js'

let lab: GatewayLab
let langfuse: RecordingServer

beforeAll(async () => {
  lab = await startGatewayLab()
  langfuse = await startRecordingServer()
})
beforeEach(() => {
  langfuse.requests.length = 0
  langfuse.standard = { status: 200, body: JSON.stringify(prompt()) }
})
afterAll(async () => {
  await lab.close()
  await langfuse.close()
})

const path = '/v1/chat/completions'
const prompt = (config: object = {}) => ({
  name: 'polite',
  version: 4,
  type: 'chat',
  labels: ['production'],
  prompt: [{ role: 'system', content: 'Speak like {{who}}.' }],
  config: { temperature: 0.3, ...config },
})
const sent = () => lab.upstream.requests.at(-1)?.body as { model: string; messages: { content: string }[] }

describe('a model of a LiteLLM file that Langfuse manages', () => {
  const file = (model: string, params: object = {}) => ({
    model_list: [
      {
        model_name: 'chatbot',
        litellm_params: { model, api_key: 'sk-1', api_base: `${lab.upstream.url}/v1`, ...params },
      },
      {
        model_name: 'other',
        litellm_params: { model: 'openai/other', api_key: 'sk-1', api_base: `${lab.upstream.url}/v1` },
      },
    ],
  })
  const env = () => ({ LANGFUSE_PUBLIC_KEY: 'pk', LANGFUSE_SECRET_KEY: 'sk', LANGFUSE_HOST: langfuse.url })

  async function start(config: object) {
    const { options, warnings } = fromLiteLLMConfig(config, { env: env() })
    expect(warnings).toEqual([])
    return createGateway({ ...options, auth: { identify: () => anyCaller } })
  }

  it('asks it for the prompt that its parameters name, whatever the group is called', async () => {
    const params = { prompt_id: 'polite', prompt_label: 'production', prompt_variables: { who: 'a friend' } }
    const gateway = await start(file('langfuse/openai/gpt-x', params))
    expect((await ask(gateway, 'POST', path, chat('chatbot'))).status).toBe(200)
    expect(langfuse.requests[0]).toMatchObject({
      method: 'GET',
      path: '/api/public/v2/prompts/polite?label=production',
      headers: { authorization: `Basic ${Buffer.from('pk:sk').toString('base64')}` },
    })
    expect(sent()).toMatchObject({ model: 'gpt-x', temperature: 0.3 })
    expect(sent().messages.map(({ content }) => content)).toEqual(['Speak like a friend.', 'Hello there, gateway'])
    expect(Object.keys(sent()).filter((name) => name.startsWith('prompt_'))).toEqual([])
    // The other model is nobody's business.
    await ask(gateway, 'POST', path, chat('other'))
    expect(sent().messages).toHaveLength(1)
    expect(langfuse.requests).toHaveLength(1)
    await gateway.close({ drainMs: 0 })
  })

  it('leaves the prompt to the request where the file names none, and lets the request choose another', async () => {
    const gateway = await start(file('langfuse/openai/gpt-x'))
    await ask(gateway, 'POST', path, chat('chatbot'))
    expect(langfuse.requests).toHaveLength(0)
    await ask(gateway, 'POST', path, chat('chatbot', { prompt_id: 'own', prompt_variables: { who: 'me' } }))
    expect(langfuse.requests[0]?.path).toBe('/api/public/v2/prompts/own')
    expect(sent().messages[0]?.content).toBe('Speak like me.')
    await gateway.close({ drainMs: 0 })
  })

  it("goes to the prompt's model where that is one of the file, else stays", async () => {
    const params = { prompt_id: 'polite', prompt_variables: { who: 'me' } }
    const gateway = await start(file('langfuse/openai/gpt-x', params))
    langfuse.standard = { status: 200, body: JSON.stringify(prompt({ model: 'unheard-of' })) }
    expect((await ask(gateway, 'POST', path, chat('chatbot'))).status).toBe(200)
    expect(sent().model).toBe('gpt-x')
    await gateway.close({ drainMs: 0 })
    const second = await start(file('langfuse/openai/gpt-x', params))
    langfuse.standard = { status: 200, body: JSON.stringify(prompt({ model: 'other' })) }
    await ask(second, 'POST', path, chat('chatbot'))
    expect(sent().model).toBe('other')
    await second.close({ drainMs: 0 })
    const keeping = await start(file('langfuse/openai/gpt-x', { ...params, ignore_prompt_manager_model: true }))
    await ask(keeping, 'POST', path, chat('chatbot'))
    expect(sent().model).toBe('gpt-x')
    await keeping.close({ drainMs: 0 })
  })

  it('needs its keys, and a folder for prompts in files', () => {
    const problemsOf = (config: object): readonly string[] => {
      try {
        fromLiteLLMConfig(config, { env: {} })
      } catch (error) {
        if (error instanceof ConfigError) return error.problems
      }
      return []
    }
    expect(problemsOf(file('langfuse/gpt-4o'))).toEqual([
      'model_list: environment variable LANGFUSE_PUBLIC_KEY is not set, for models of langfuse/',
      'model_list: environment variable LANGFUSE_SECRET_KEY is not set, for models of langfuse/',
    ])
    expect(problemsOf(file('dotprompt/gpt-4o'))).toEqual([
      'litellm_settings.global_prompt_directory: is required for models of dotprompt/',
    ])
    const litellm_settings = { global_prompt_directory: './prompts' }
    expect(fromLiteLLMConfig({ ...file('dotprompt/gpt-4o'), litellm_settings }, { env: {} })).toMatchObject({
      promptDirectory: './prompts',
      warnings: [],
    })
  })
})

describe('a managed model', () => {
  const prompts = { own: textPrompts({ a: 'A.' }) }
  const model = (modelName: string) => ({ modelName, model: 'own/fake/main', params: { prompt_id: 'a' } })
  const start = (models: GatewayOptions['models'], options: Partial<GatewayOptions> = {}) =>
    lab.start(models, { prompts, ...options })

  it('is one only where it is alone in its group', async () => {
    await ask(start([model('alone')]), 'POST', path, chat('alone'))
    expect(sent().messages).toHaveLength(2)
    await ask(start([model('two'), { ...model('two'), id: 'second' }]), 'POST', path, chat('two'))
    expect(sent().messages).toHaveLength(1)
  })

  it('tells its prompt to nobody who may not use it', async () => {
    const auth = { identify: () => ({ ...anyCaller, models: [] }) }
    const answer = await ask(start([model('alone')], { auth }), 'POST', path, chat('alone', { prompt_id: 'none' }))
    expect(answer.status).toBe(403)
    expect(jsonOf(answer).error).toMatchObject({ code: 'model_not_allowed' })
  })
})
