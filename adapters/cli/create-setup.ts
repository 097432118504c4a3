import { readFile } from 'node:fs/promises'
import { basename } from 'node:path'
import { fromLiteLLMConfig, parseConfigText } from '../../src/index.js'
import type { CliArguments } from './arguments.js'
import { setupDemo } from './demo.js'
import { openRedis } from './redis.js'
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
  const { redis, ...setup } = fromLiteLLMConfig(await parseConfigText(text, basename(file)), { env })
  if (!redis) return setup
  const { stores, close } = await openRedis(redis)
  return {
    ...setup,
    options: { ...setup.options, stores },
    close() {
      close()
      return Promise.resolve()
    },
  }
}

function setupFromModel(model: string, env: Environment): Setup {
  return { options: { models: [{ modelName: model, model }], env }, warnings: [] }
}
