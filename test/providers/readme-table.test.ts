import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { insertProviderTable, renderProviderTable } from '../../.build/provider-table.mjs'
import { createRegistry } from '../../src/providers/registry.js'

const path = new URL('../../README.md', import.meta.url)
const table = renderProviderTable(createRegistry([]).list())

describe('the table of providers', () => {
  it('has a line for every provider', () => {
    expect(table.split('\n')).toHaveLength(createRegistry([]).list().length + 4)
  })

  it('marks what a provider can do', () => {
    expect(table).toContain(
      '| Anthropic (`anthropic/` `anthropic_text/`) | ✓ | ✓ |  |  |  | active | `ANTHROPIC_API_KEY` `ANTHROPIC_AUTH_TOKEN` |',
    )
    expect(table).toContain('| GitHub Models (`github/`) | ✓ | ✓ |  | ✓ |  | retired |')
  })

  it('names every other variable that is read', () => {
    expect(table).toContain('OpenRouter `OR_SITE_URL` `OR_APP_NAME`')
    expect(table).toContain('Bedrock Mantle `BEDROCK_MANTLE_REGION` `AWS_REGION`')
  })

  it('goes between the markers and leaves the rest', () => {
    const readme = 'a\n<!-- providers:start -->\nold\n<!-- providers:end -->\nb\n'
    expect(insertProviderTable(readme, 'new')).toBe('a\n<!-- providers:start -->\nnew\n<!-- providers:end -->\nb\n')
    expect(() => insertProviderTable('no markers', 'new')).toThrow(/markers/)
  })

  if (existsSync(path)) {
    it('is up to date in README.md (else: node .build/provider-table.mjs)', () => {
      const readme = readFileSync(path, 'utf8')
      expect(insertProviderTable(readme, table)).toBe(readme)
    })
  } else {
    console.log('README.md does not exist yet: its table of providers is not checked.')
  }
})
