import { randomBytes } from 'node:crypto'
import { afterEach, describe, expect, it } from 'vitest'
import type { GatewayOptions } from '../../../src/index.js'
import type { Logger } from '../../../src/ports.js'
import { createMemoryRecords } from '../../../src/stores/memory-records.js'
import type { RecordStore } from '../../../src/ports/records.js'
import { localBroadcast } from '../../keys/lab.js'
import { FakeClock } from '../../support/fake-clock.js'
import { type AdminLab, type Json, startAdminLab } from './lab.js'
import { newKey } from './samples.js'

const newEncryptionKey = (id: string): { id: string; key: string } => ({ id, key: randomBytes(32).toString('base64') })
const first = newEncryptionKey('first')
const secret = 'sk-planted-provider-key'

const labs: AdminLab[] = []
afterEach(async () => {
  await Promise.all(labs.splice(0).map((lab) => lab.close()))
})

async function start(options: Partial<GatewayOptions> = {}): Promise<AdminLab> {
  const lab = await startAdminLab(options)
  labs.push(lab)
  return lab
}

async function settle(until: () => Promise<boolean>): Promise<boolean> {
  for (let round = 0; round < 100; round++) {
    if (await until()) return true
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  return false
}

const body = (own: Json = {}, params: Json = {}): Json => ({
  model_name: 'added',
  litellm_params: { model: 'fake/openai', api_key: secret, ...params },
  model_info: { id: 'added-1', note: 'free data' },
  ...own,
})

const warned: (readonly [string, object])[] = []
const logger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error: (fields, message) => void warned.push([message, fields]),
}

describe('a model that is added at run time', () => {
  it('serves calls at once, is changed, and is gone when deleted', async () => {
    const lab = await start()
    const key = await newKey(lab)
    expect(await lab.chat(key, 'added')).toBe(404)
    const made = await lab.send('POST', '/model/new', body())
    expect([made.status, made.body['model_id']]).toEqual([200, 'added-1'])
    expect(await lab.chat(key, 'added')).toBe(200)
    const changed = await lab.send('POST', '/model/update', {
      model_info: { id: 'added-1' },
      model_name: 'renamed',
      litellm_params: { rpm: 7, api_key: 'sk-another-planted-key' },
    })
    expect(changed.body['litellm_params']).toEqual({ model: 'fake/openai', api_key: '***', rpm: 7 })
    expect(await lab.chat(key, 'added')).toBe(404)
    expect(await lab.chat(key, 'renamed')).toBe(200)
    expect((await lab.send('POST', '/model/delete', { id: 'added-1' })).status).toBe(200)
    expect(await lab.chat(key, 'renamed')).toBe(404)
    expect((await lab.send('POST', '/model/delete', { id: 'added-1' })).status).toBe(404)
  })

  it('is listed with its prices, and without its credentials', async () => {
    const lab = await start()
    await lab.send('POST', '/model/new', body({}, { input_cost_per_token: 0.000002, output_cost_per_token: 0.000003 }))
    const { body: info, text } = await lab.send('GET', '/v1/model/info?litellm_model_id=added-1')
    expect(info['data']).toMatchObject([
      {
        model_name: 'added',
        litellm_params: { model: 'fake/openai', api_key: '***' },
        model_info: { id: 'added-1', db_model: true, note: 'free data', input_cost_per_token: 0.000002 },
      },
    ])
    expect(text).not.toContain(secret)
    const own = (await lab.send('GET', '/model/info')).body['data'] as Json[]
    expect(own.map(({ model_name }) => model_name)).toEqual(['gpt-4o', 'other', 'added'])
    const member = await newKey(lab, { models: ['added'], user_id: 'ann' })
    const seen = (await lab.send('GET', '/model/info', undefined, member)).body['data'] as Json[]
    expect(seen).toHaveLength(1)
    expect(seen[0]?.['litellm_params']).toEqual({ model: 'fake/openai' })
  })

  it('is listed with null where a token has no price', async () => {
    const half = { modelName: 'half', model: 'fake/openai', apiKey: 'sk-fake', id: 'half', prices: { input: 2 } }
    const lab = await start({ models: [half] })
    const { body: info } = await lab.send('GET', '/v1/model/info?litellm_model_id=half')
    const prices = { input_cost_per_token: 0.000002, output_cost_per_token: null }
    expect(info['data']).toMatchObject([{ model_info: prices }])
  })

  it('is kept encrypted, and comes back with the next start', async () => {
    const records = createMemoryRecords()
    const options = { stores: { records }, encryptionKeys: [first] }
    const lab = await start(options)
    await lab.send('POST', '/model/new', body())
    const stored = JSON.stringify(await records.get('deployment', 'added-1'))
    expect(stored).toContain('v1.first.')
    expect(stored).not.toContain(secret)
    const next = await start(options)
    const key = await newKey(next)
    expect(await settle(async () => (await next.chat(key, 'added')) === 200)).toBe(true)
  })

  it('is sealed with the new key after a rotation, so that the old one can go', async () => {
    const records = createMemoryRecords()
    const second = newEncryptionKey('second')
    await (await start({ stores: { records }, encryptionKeys: [first] })).send('POST', '/model/new', body())
    await start({ stores: { records }, encryptionKeys: [second, first] })
    const isResealed = async (): Promise<boolean> =>
      JSON.stringify(await records.get('deployment', 'added-1')).includes('v1.second.')
    expect(await settle(isResealed)).toBe(true)
    const last = await start({ stores: { records }, encryptionKeys: [second] })
    const key = await newKey(last)
    expect(await settle(async () => (await last.chat(key, 'added')) === 200)).toBe(true)
  })

  it('that cannot be opened is complained of once, and harms no other', async () => {
    const records = createMemoryRecords()
    const lab = await start({ stores: { records }, encryptionKeys: [first] })
    await lab.send('POST', '/model/new', body())
    const { data = {} } = (await records.get('deployment', 'added-1')) ?? {}
    await records.insert('deployment', { id: 'moved', data })
    await records.insert('deployment', { id: 'nonsense', data: { model_name: 7 } })
    warned.length = 0
    const next = await start({ stores: { records }, encryptionKeys: [first], logger })
    const key = await newKey(next)
    expect(await settle(async () => (await next.chat(key, 'added')) === 200)).toBe(true)
    expect(next.gateway.deployments.get('moved')).toBeUndefined()
    const complaints = warned.filter(([message]) => message.includes('cannot be used'))
    expect(complaints).toHaveLength(2)
    const stranger = await start({ stores: { records }, encryptionKeys: [newEncryptionKey('first')] })
    expect(await stranger.chat(key, 'added')).toBe(404)
  })

  it('reaches other processes when they are told', async () => {
    const stores = { records: createMemoryRecords(), broadcast: localBroadcast() }
    const [one, two] = [
      await start({ stores, encryptionKeys: [first] }),
      await start({ stores, encryptionKeys: [first] }),
    ]
    const key = await newKey(one)
    await one.send('POST', '/model/new', body())
    expect(await settle(async () => (await two.chat(key, 'added')) === 200)).toBe(true)
    await two.send('POST', '/model/update', { id: 'added-1', model_name: 'renamed' })
    expect(await settle(async () => (await one.chat(key, 'renamed')) === 200)).toBe(true)
    await one.send('POST', '/model/delete', { id: 'added-1' })
    expect(await settle(async () => (await two.chat(key, 'renamed')) === 404)).toBe(true)
  })

  it('leaves a row in the audit, with its fields and without its credentials', async () => {
    const lab = await start()
    await lab.send('POST', '/model/new', body())
    await lab.send('POST', '/model/update', { id: 'added-1', litellm_params: { api_key: 'sk-another-planted-key' } })
    await lab.send('POST', '/model/delete', { id: 'added-1' })
    const { body: audit, text } = await lab.send('GET', '/audit?table_name=deployment&object_id=added-1')
    expect((audit['audit_logs'] as Json[]).map(({ action }) => action)).toEqual(['deleted', 'updated', 'created'])
    expect(text).not.toMatch(/planted/)
  })

  it('is refused where it would not work or would reach for what is not the sender’s', async () => {
    const lab = await start()
    const refused: readonly (readonly [Json, string | null])[] = [
      [body({ litellm_params: {} }), 'litellm_params'],
      [body({ model_name: '' }), 'model_name'],
      [body({}, { model: 'no-such-provider/x' }), 'models'],
      [body({}, { rpm: 'many' }), 'litellm_params.rpm'],
      [body({}, { api_key: 'os.environ/HOME' }), 'litellm_params.api_key'],
      [body({ model_info: { team: ['os.environ/HOME'] } }), 'model_info.team.0'],
      [body({}, { max_retries: 3 }), 'litellm_params.max_retries'],
      [body({}, { input_cost_per_token: 'cheap' }), 'litellm_params.input_cost_per_token'],
      [body({}, { vertex_credentials: '/etc/passwd' }), 'litellm_params.vertex_credentials'],
      [body({}, { aws_profile_name: 'default' }), 'litellm_params.aws_profile_name'],
      [body({}, { organization: ['a', 'b'] }), 'litellm_params.organization'],
      [body({ model_info: { id: 'a\nb' } }), 'model_info.id'],
      [body({ model_info: { max_input_tokens: 8192.5 } }), 'model_info.max_input_tokens'],
      [body({ model_info: { max_output_tokens: '4k' } }), 'model_info.max_output_tokens'],
      [body({ model_info: { max_tokens: 0 } }), 'model_info.max_tokens'],
    ]
    for (const [given, param] of refused) {
      const answer = await lab.send('POST', '/model/new', given)
      expect([answer.status, answer.param], answer.text).toEqual([400, param])
      expect(answer.text).not.toContain(secret)
    }
    expect(lab.gateway.deployments.list()).toHaveLength(2)
    expect((await lab.send('POST', '/model/new', body())).status).toBe(200)
    expect((await lab.send('POST', '/model/new', body())).status).toBe(409)
  })

  it('does not send the host’s own key to an address that was given over HTTP', async () => {
    const lab = await start({ env: { OPENAI_API_KEY: 'sk-of-the-host' } })
    const params = { model: 'openai/gpt-4o', api_base: 'https://attacker.example/v1', api_key: undefined }
    const given = JSON.parse(JSON.stringify(body({}, params))) as Json
    expect((await lab.send('POST', '/model/new', given)).param).toBe('apiKey')
    const here = JSON.parse(JSON.stringify(body({}, { model: 'openai/gpt-4o', api_key: undefined }))) as Json
    expect((await lab.send('POST', '/model/new', here)).status).toBe(200)
    const moved = await lab.send('POST', '/model/update', {
      id: 'added-1',
      litellm_params: { api_base: params.api_base },
    })
    expect(moved.param).toBe('apiKey')
  })

  it('does not send a kept key to another address', async () => {
    const lab = await start()
    await lab.send('POST', '/model/new', body())
    const api_base = 'https://attacker.example/v1'
    const moved = await lab.send('POST', '/model/update', { id: 'added-1', litellm_params: { api_base } })
    expect([moved.status, moved.param]).toEqual([400, 'litellm_params.api_base'])
    const litellm_params = { api_base, api_key: 'sk-for-the-new-address' }
    expect((await lab.send('POST', '/model/update', { id: 'added-1', litellm_params })).status).toBe(200)
  })

  it('is no way to change the host’s own list', async () => {
    const lab = await start()
    const [own] = lab.gateway.deployments.list()
    expect((await lab.send('POST', '/model/update', { id: own?.id, model_name: 'x' })).status).toBe(400)
    expect((await lab.send('POST', '/model/delete', { id: own?.id })).status).toBe(400)
    expect((await lab.send('POST', '/model/new', body({ model_info: { id: own?.id } }))).status).toBe(409)
  })

  it('needs encryption keys where a database keeps it', async () => {
    const lab = await start({ stores: { records: createMemoryRecords() } })
    const answer = await lab.send('POST', '/model/new', body())
    expect([answer.status, (answer.body['error'] as Json)['code']]).toEqual([400, 'encryption_keys_missing'])
  })
})

describe('reading the records', () => {
  it('takes away nothing that was added while they were read', async () => {
    const records = createMemoryRecords()
    const broadcast = localBroadcast()
    const gates: (() => void)[] = []
    let isSlow = false
    const slow: RecordStore = {
      ...records,
      async find(kind, query) {
        const page = await records.find(kind, query)
        if (isSlow && kind === 'deployment') await new Promise<void>((resolve) => void gates.push(resolve))
        return page
      },
    }
    const lab = await start({ stores: { records: slow, broadcast }, encryptionKeys: [first] })
    const key = await newKey(lab)
    await new Promise((resolve) => setTimeout(resolve, 5))
    isSlow = true
    void broadcast.publish('deployments', 'anything')
    await settle(async () => gates.length > 0)
    const adding = lab.send('POST', '/model/new', body())
    await settle(async () => (await records.get('deployment', 'added-1')) !== undefined)
    isSlow = false
    for (const open of gates) open()
    expect((await adding).status).toBe(200)
    await new Promise((resolve) => setTimeout(resolve, 10))
    expect(await lab.chat(key, 'added')).toBe(200)
  })

  it('takes a model that was deleted and made anew for another one', async () => {
    const clock = new FakeClock()
    const stores = { records: createMemoryRecords({ clock }), broadcast: localBroadcast() }
    const one = await start({ stores: { records: stores.records }, encryptionKeys: [first] })
    const two = await start({ stores, encryptionKeys: [first] })
    const key = await newKey(one)
    await one.send('POST', '/model/new', body())
    void stores.broadcast.publish('deployments', 'added-1')
    expect(await settle(async () => (await two.chat(key, 'added')) === 200)).toBe(true)
    await one.send('POST', '/model/delete', { id: 'added-1' })
    clock.advance(1_000)
    await one.send('POST', '/model/new', body({ model_name: 'anew' }))
    void stores.broadcast.publish('deployments', 'added-1')
    expect(await settle(async () => (await two.chat(key, 'anew')) === 200)).toBe(true)
  })

  it('is tried again soon after a failure', async () => {
    const clock = new FakeClock()
    const records = createMemoryRecords({ clock })
    const before = await start({ stores: { records }, encryptionKeys: [first] })
    await before.send('POST', '/model/new', body())
    let failures = 1
    const failing: RecordStore = {
      ...records,
      find: (kind, query) => (failures-- > 0 ? Promise.reject(new Error('away')) : records.find(kind, query)),
    }
    const lab = await start({ stores: { records: failing }, encryptionKeys: [first], clock })
    expect(await settle(async () => clock.pending > 0 && failures < 1)).toBe(true)
    await new Promise((resolve) => setTimeout(resolve, 5))
    expect(lab.gateway.deployments.get('added-1')).toBeUndefined()
    clock.advance(2_000)
    expect(await settle(async () => lab.gateway.deployments.get('added-1') !== undefined)).toBe(true)
  })
})

describe('encryption keys', () => {
  it.each(['short', '', 'A'.repeat(31), `${'z'.repeat(64)}`])('%s is none', async (key) => {
    await expect(start({ encryptionKeys: [{ id: 'one', key }] })).rejects.toThrow(/32 bytes/)
  })

  it('take base64, base64url and hexadecimal digits, and have different ids', async () => {
    const bytes = randomBytes(32)
    for (const encoding of ['base64', 'base64url', 'hex'] as const) {
      await start({ encryptionKeys: [{ id: 'one', key: bytes.toString(encoding) }] })
    }
    await expect(start({ encryptionKeys: [first, first] })).rejects.toThrow(/different ids/)
  })
})
