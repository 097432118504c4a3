import { describe, expect, it } from 'vitest'
import { checkOptions } from '../src/options.js'

const models = [{ modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: 'sk-x' }]

describe('checkOptions', () => {
  it('accepts a full set of options', () => {
    const options = {
      models,
      auth: { identify: () => null },
      retries: 0,
      timeouts: { connect: 1 },
      dropParams: true,
      env: process.env,
    }
    expect(() => checkOptions(options)).not.toThrow()
  })

  it('refuses to start without auth, and says how to let everybody in', () => {
    expect(() => checkOptions({ models })).toThrow(/auth: 'none'/)
    expect(() => checkOptions({ models, auth: 'none' })).not.toThrow()
    expect(() => checkOptions({ models, masterKey: 'sk-1' })).not.toThrow()
  })

  it.each([
    ['an unknown setting', { models, auth: 'none', retires: 3 }, 'retires'],
    ['an unknown setting of a model', { models: [{ ...models[0], apikey: 'x' }], auth: 'none' }, 'models.0'],
    ['an auth without identify', { models, auth: {} }, 'auth'],
    ['an empty master key', { models, masterKey: '' }, 'masterKey'],
    ['a negative timeout', { models, auth: 'none', timeouts: { idle: -1 } }, 'timeouts.idle'],
    [
      'a part of a token',
      { models: [{ ...models[0], capabilities: { contextWindow: 8192.5 } }], auth: 'none' },
      'models.0.capabilities.contextWindow',
    ],
    [
      'more tokens than can be counted',
      { models: [{ ...models[0], capabilities: { maxOutputTokens: 1e300 } }], auth: 'none' },
      'models.0.capabilities.maxOutputTokens',
    ],
    ['no models', { auth: 'none' }, 'models'],
    ['nothing', undefined, 'options'],
  ])('names %s', (_, options, path) => {
    expect(() => checkOptions(options)).toThrow(new RegExp(path.replaceAll('.', '\\.')))
  })
})
