import { describe, expect, it } from 'vitest'
import { ConfigError } from '../../src/config/config-error.js'
import { parseConfigText } from '../../src/config/yaml.js'

const secret = 'sk-very-secret-0123456789'

async function problemOf(text: string, fileName = 'config.yaml'): Promise<string> {
  const failure: unknown = await parseConfigText(text, fileName).then(
    () => undefined,
    (error: unknown) => error,
  )
  return failure instanceof ConfigError ? failure.message : 'no error'
}

describe('parseConfigText', () => {
  it('reads YAML with comments, anchors and merge keys', async () => {
    const text = 'base: &base\n  timeout: 5 # seconds\nmodel:\n  <<: *base\n  api_version: 2024-10-21\n'
    expect(await parseConfigText(text, 'config.yaml')).toEqual({
      base: { timeout: 5 },
      model: { timeout: 5, api_version: '2024-10-21' },
    })
  })

  it('reads JSON', async () => {
    expect(await parseConfigText('{"a": [1]}', 'config.json')).toEqual({ a: [1] })
    expect(await parseConfigText('{"a": [1]}', 'config.yaml')).toEqual({ a: [1] })
  })

  it.each([
    ['a bad indent', `model_list:\n  - model_name: a\n api_key: ${secret}\n`, /^config\.yaml:3:/],
    ['a tab', `a:\n\tapi_key: ${secret}\n`, /^config\.yaml:2:/],
    ['a key twice', `a: 1\nb: 2\na: ${secret}\n`, /^config\.yaml:3:1: Map keys must be unique/],
    ['an open quote', `a: "${secret}\n`, /^config\.yaml:\d+:/],
    ['an open bracket', `a: [${secret}\n`, /^config\.yaml:\d+:/],
    ['text after a value', `a: {b: 1} ${secret}\n`, /^config\.yaml:1:/],
  ])('names line and column of %s, and quotes nothing', async (_, text, expected) => {
    const problem = await problemOf(text)
    expect(problem).toMatch(expected)
    expect(problem).not.toContain(secret)
  })

  it('quotes nothing of an alias that points nowhere', async () => {
    const problem = await problemOf(`a: *${secret}\n`)
    expect(problem).toMatch(/^config\.yaml/)
    expect(problem).not.toContain(secret)
  })

  it('refuses aliases that unfold without end', async () => {
    const lines = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]']
    for (let i = 1; i < 9; i++)
      lines.push(
        `a${i}: &a${i} [${Array(10)
          .fill(`*a${i - 1}`)
          .join(', ')}]`,
      )
    expect(await problemOf(lines.join('\n'))).toContain('unfold')
  })

  it('names the place in bad JSON and quotes nothing', async () => {
    const problem = await problemOf(`{\n  "key": "${secret}",\n  oops\n}`, 'config.json')
    expect(problem).toMatch(/^config\.json:3:\d+: is not valid JSON$/)
  })
})
