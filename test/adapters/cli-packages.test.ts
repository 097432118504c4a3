import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it, vi } from 'vitest'
import { runCli } from '../../adapters/cli/run.js'

// As on a machine where nobody has installed the drivers.
vi.mock('pg', missing)
vi.mock('mysql2/promise', missing)
vi.mock('better-sqlite3', missing)
vi.mock('ioredis', missing)
vi.mock('node:sqlite', missing)
vi.mock('prom-client', missing)

function missing(): never {
  throw new Error('Cannot find package')
}

let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

it.each([
  ['pg', { general_settings: { database_url: 'postgres://u:pw-secret@h/d' } }],
  ['mysql2', { general_settings: { database_url: 'mysql://u:pw-secret@h/d' } }],
  ['better-sqlite3', { general_settings: { database_url: 'sqlite:a.db' } }],
  ['prom-client', { litellm_settings: { callbacks: ['prometheus'] } }],
  ['ioredis', { router_settings: { redis_url: 'redis://:pw-secret@h' } }],
])('names the package %s where it is needed and not installed', async (name, sections) => {
  const file = join(folder, `${name}.json`)
  const model_list = [{ model_name: 'a', litellm_params: { model: 'openai/a', api_key: 'k' } }]
  writeFileSync(file, JSON.stringify({ model_list, ...sections }))
  let error = ''
  const outcome = await runCli(['--config', file, '--port', '0'], {
    env: {},
    out: () => {},
    error: (text) => void (error += text),
  })
  expect(outcome).toEqual({ exitCode: 1 })
  expect(error).toContain(`needs the package ${name}, which is not installed: npm install ${name}`)
  expect(error).not.toContain('pw-secret')
})
