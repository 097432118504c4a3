import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Auth, type LiteLLMAuthHook, fromLiteLLMAuth } from '../../src/index.js'
import type { NodeRequest } from '../node.js'
import { within } from './deadline.js'
import { StartError } from './start-error.js'

type Hook = LiteLLMAuthHook<NodeRequest>

/** Where a hook is, and the names that its function may have. */
interface Place {
  readonly files: readonly string[]
  readonly names: readonly string[]
}

const suffixes = ['.js', '.mjs', '.cjs', '.ts', '.mts']
const defaultNames = ['user_api_key_auth', 'identify', 'default']
const loadMs = 10_000

/**
 * Loads `general_settings.custom_auth`: a file (`auth.js`, whose export is `user_api_key_auth`, `identify` or the default
 * one), or as LiteLLM writes it `module.function`, a module beside the configuration.
 * @throws StartError where there is no such file, it does not load, or exports no such function
 */
export async function loadCustomAuth(reference: string, folder: string): Promise<Auth<NodeRequest>> {
  const { files, names } = placeOf(reference)
  const file = files.map((name) => resolve(folder, name)).find((path) => existsSync(path))
  if (file === undefined) throw problem(`there is no ${files.join(' or ')} beside the configuration`)
  const module = await load(file)
  const hook = names.map((name) => exportOf(module, name)).find(isHook)
  if (!hook) throw problem(`${file} exports no function ${names.join(' or ')}`)
  return fromLiteLLMAuth(hook)
}

function placeOf(reference: string): Place {
  if (suffixes.some((suffix) => reference.endsWith(suffix))) return { files: [reference], names: defaultNames }
  const dot = reference.lastIndexOf('.')
  const module = dot < 0 ? reference : reference.slice(0, dot)
  // Python's dots between packages are folders.
  const path = module.includes('/') ? module : module.replaceAll('.', '/')
  const names = dot < 0 ? defaultNames : [reference.slice(dot + 1)]
  return { files: suffixes.map((suffix) => path + suffix), names }
}

async function load(file: string): Promise<unknown> {
  try {
    const loading: Promise<unknown> = import(pathToFileURL(file).href)
    return await within(loadMs, loading, () => new Error(`it takes longer than ${loadMs / 1_000} s`))
  } catch (cause) {
    throw problem(`${file} does not load: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
  }
}

/** Modules of CommonJS may have their exports within the default one only. */
function exportOf(module: unknown, name: string): unknown {
  return memberOf(module, name) ?? memberOf(memberOf(module, 'default'), name)
}

function memberOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}

function isHook(value: unknown): value is Hook {
  return typeof value === 'function'
}

function problem(text: string, cause?: unknown): StartError {
  return new StartError(`general_settings.custom_auth: ${text}`, { cause })
}
