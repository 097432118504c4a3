import { afterAll, beforeAll, expect, it } from 'vitest'
import { type AdminLab, masterKey, startAdminLab } from './lab.js'
import { newKey, samples, sendSample } from './samples.js'

const logged: string[] = []
const log = (fields: object, message: string): void => {
  const error: unknown = Reflect.get(fields, 'error')
  logged.push(message, JSON.stringify(fields), error instanceof Error ? String(error.stack) : String(error))
}
const providerKeys = Array.from({ length: 30 }, (_, index) => `sk-planted-provider-${index}-abcdefgh`)
const virtualKeys = Array.from({ length: 5 }, (_, index) => `sk-planted-virtual-${index}-abcdefgh`)

let lab: AdminLab
beforeAll(async () => {
  lab = await startAdminLab({
    models: providerKeys
      .slice(0, 15)
      .map((apiKey, index) => ({ modelName: `m${index}`, model: 'fake/openai', apiKey })),
    logger: { debug: log, info: log, warn: log, error: log },
  })
  for (const apiKey of providerKeys.slice(15)) {
    const litellm_params = { model: 'fake/openai', api_key: apiKey, extra_headers: { 'x-secret': apiKey } }
    await lab.send('POST', '/model/new', { model_name: 'added', litellm_params })
  }
  for (const key of virtualKeys) await newKey(lab, { key, key_alias: `alias of ${key.slice(11, 20)}` })
})
afterAll(() => lab.close())

it('no answer, list, audit row or log line holds a planted secret', async () => {
  const told: string[] = []
  for (const [name, make] of Object.entries(samples)) {
    told.push((await sendSample(lab, name, await make(lab))).text)
    // Requests that fail, with a secret in the place of an id.
    const [secret = ''] = virtualKeys
    told.push((await sendSample(lab, name, { body: { key: secret, id: secret, team_id: secret } })).text)
  }
  for (const key of virtualKeys) {
    await lab.chat(key, 'm1')
    told.push((await lab.send('GET', `/key/info?key=${key}`)).text)
    told.push((await lab.send('POST', '/key/update', { key, max_budget: 5, metadata: { note: 'x' } })).text)
    told.push((await lab.send('GET', `/spend/logs?api_key=${key}`)).text)
    told.push((await lab.send('POST', '/key/block', { key })).text)
  }
  for (const path of ['/key/list?return_full_object=true&limit=1000', '/audit?limit=1000', '/model/info']) {
    told.push((await lab.send('GET', path)).text)
  }
  const all = [...told, ...logged].join('\n')
  expect(told.length).toBeGreaterThan(100)
  const leaked = [...providerKeys, ...virtualKeys, masterKey].filter((secret) => all.includes(secret))
  expect(leaked).toEqual([])
})
