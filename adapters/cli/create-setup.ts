import { readFile } from 'node:fs/promises'
import { basename, dirname, resolve } from 'node:path'
import { filePrompts, fromLiteLLMConfig, parseConfigText } from '../../src/index.js'
import type { CliArguments } from './arguments.js'
import { loadCustomAuth } from './custom-auth.js'
import { setupDemo } from './demo.js'
import { toEncryptionKeys } from './encryption-keys.js'
import { openStores } from './open-stores.js'
import { openPrometheus } from './prometheus.js'
import type { Environment, Setup } from './setup.js'
import { toReadError } from './start-error.js'

/** Decides what the command line serves: a file, one model, or the demo. @throws ConfigError, StartError */
export function createSetup({ config, model }: CliArguments, env: Environment): Promise<Setup> {
  if (config !== undefined) return setupFromFile(config, env)
  if (model !== undefined) return Promise.resolve(setupFromModel(model, env))
  return setupDemo(env)
}

async function setupFromFile(file: string, env: Environment): Promise<Setup> {
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    throw toReadError(error, file)
  })
  const folder = dirname(file)
  const config = fromLiteLLMConfig(await parseConfigText(text, basename(file)), { env })
  const { options, warnings, customAuth } = config
  const prometheus = config.prometheus ? await openPrometheus(options.callbacks) : undefined
  const login = customAuth && {
    auth: await loadCustomAuth(customAuth.reference, folder),
    // As in LiteLLM, a login of one's own stands in place of the keys unless both are asked for.
    keys: customAuth.withKeys,
  }
  const encryptionKeys = config.database && toEncryptionKeys(options.env, options.masterKey)
  const { stores, close } = await openStores(config, folder)
  const callbacks = prometheus?.callbacks ?? options.callbacks
  const metrics = prometheus?.metrics
  const directory = config.promptDirectory
  const prompts = directory === undefined ? options.prompts : withFiles(options.prompts, resolve(folder, directory))
  return { options: { ...options, ...login, callbacks, prompts, encryptionKeys, stores }, warnings, metrics, close }
}

function withFiles(others: Setup['options']['prompts'], directory: string): Setup['options']['prompts'] {
  const read = (name: string): Promise<string | undefined> =>
    readFile(resolve(directory, name), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return undefined
      throw error
    })
  return { ...others, dotprompt: filePrompts(read) }
}

function setupFromModel(model: string, env: Environment): Setup {
  return { options: { models: [{ modelName: model, model }], env }, warnings: [] }
}
