import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { runCli } from '../../adapters/cli/run.js'
import { type FakeUpstream, startFakeUpstream } from '../../src/testing/index.js'

let upstream: FakeUpstream
let folder: string
const stops = new Set<() => Promise<void>>()

beforeAll(async () => {
  upstream = await startFakeUpstream()
  folder = mkdtempSync(join(tmpdir(), 'sluice-cli-'))
})
afterEach(async () => {
  for (const stop of stops) await stop()
  stops.clear()
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

async function serve(sections: object): Promise<string> {
  const file = join(folder, 'config.json')
  const litellm_params = { model: 'openai/demo', api_key: 'k', api_base: `${upstream.url}/v1` }
  const general_settings = { master_key: 'sk-master' }
  writeFileSync(
    file,
    JSON.stringify({ model_list: [{ model_name: 'fast', litellm_params }], general_settings, ...sections }),
  )
  let out = ''
  const outcome = await runCli(['--config', file, '--port', '0'], {
    env: {},
    out: (text) => void (out += text),
    error: () => {},
  })
  if (!('stop' in outcome)) throw new Error('it does not run')
  stops.add(() => outcome.stop())
  return /listening on (\S+)/.exec(out)?.[1] ?? ''
}

function ask(url: string, content: string): Promise<Response> {
  return fetch(`${url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-master' },
    body: JSON.stringify({ model: 'fast', messages: [{ role: 'user', content }] }),
  })
}

const called = /^sluice_requests_total\{.*model_group="fast".*status_code="200".*\} 1$/m

describe('a file that names prometheus', () => {
  it('counts calls, each server its own, and gives the metrics to everybody', async () => {
    const sections = { litellm_settings: { callbacks: ['prometheus'] } }
    const [one, other] = [await serve(sections), await serve(sections)]
    expect((await ask(one, 'hello')).status).toBe(200)
    await vi.waitFor(async () => {
      const answer = await fetch(`${one}/metrics?x=1`)
      expect(answer.headers.get('content-type')).toContain('text/plain; version=0.0.4')
      expect(await answer.text()).toMatch(called)
    })
    const metrics = await fetch(`${other}/metrics`)
    expect(metrics.status).toBe(200)
    expect(await metrics.text()).not.toMatch(called)
    const head = await fetch(`${one}/metrics`, { method: 'HEAD' })
    expect([head.status, await head.text()]).toEqual([200, ''])
    expect((await fetch(`${one}/metrics`, { method: 'POST' })).status).toBe(404)
    expect((await fetch(`${one}/metricsx`)).status).toBe(404)
  })

  it('has no metrics where the file does not', async () => {
    expect((await fetch(`${await serve({})}/metrics`)).status).toBe(404)
  })
})

it('hides what the guardrails of a file find before a provider sees it', async () => {
  const litellm_params = { guardrail: 'presidio', mode: 'pre_call', default_on: true }
  const url = await serve({ guardrails: [{ guardrail_name: 'mail', litellm_params }] })
  upstream.reset()
  expect((await ask(url, 'write to jane.doe@example.com')).status).toBe(200)
  expect(upstream.requests).toHaveLength(1)
  expect(JSON.stringify(upstream.requests[0]?.body)).not.toContain('jane.doe@example.com')
})
