import { createRequire } from 'node:module'
import type { JsonObject } from '../../src/wire/json.js'

interface Problem {
  readonly ruleId: string
  readonly severity: string
  readonly message: string
  readonly location: readonly { readonly pointer?: string }[]
}

/** What is used of Redocly's linter. */
interface Linter {
  createConfig(config: { readonly extends: readonly string[]; readonly rules: object }): Promise<unknown>
  lintFromString(options: {
    readonly source: string
    readonly absoluteRef: string
    readonly config: unknown
  }): Promise<readonly Problem[]>
}

const linter = createRequire(import.meta.url)('@redocly/openapi-core') as Linter

/** What Redocly's recommended rules, all of them, find wrong with a document; errors and warnings alike, one line each. */
export async function lintDocument(document: JsonObject): Promise<readonly string[]> {
  const config = await linter.createConfig({ extends: ['recommended'], rules: {} })
  const source = JSON.stringify(document)
  const problems = await linter.lintFromString({ source, absoluteRef: '/openapi.json', config })
  return problems.map(
    ({ severity, ruleId, message, location }) => `${severity} ${ruleId} at ${location[0]?.pointer ?? '?'}: ${message}`,
  )
}
