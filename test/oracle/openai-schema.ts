import { existsSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import type { Ajv2020, ErrorObject, ValidateFunction } from 'ajv/dist/2020.js'
import type { FormatsPlugin } from 'ajv-formats'
import { expect } from 'vitest'
import { parse } from 'yaml'
import { isObject, type JsonObject } from '../../src/wire/json.js'

/** The schemas of OpenAI's own description that Sluice's answers are held against. */
export type OpenAiSchema =
  | 'CreateChatCompletionRequest'
  | 'CreateCompletionRequest'
  | 'CreateEmbeddingRequest'
  | 'CreateImageRequest'
  | 'CreateModerationRequest'
  | 'CreateChatCompletionResponse'
  | 'CreateChatCompletionStreamResponse'
  | 'CreateCompletionResponse'
  | 'CreateEmbeddingResponse'
  | 'ImagesResponse'
  | 'CreateModerationResponse'
  | 'ListModelsResponse'
  | 'Model'
  | 'ErrorResponse'

const file = process.env['SLUICE_OPENAPI'] ?? new URL('../../../shared/openapi/openai.yaml', import.meta.url).pathname

/** Whether the description is present; tests that need it print a line and pass where it is not. */
export const openAiSchemaAvailable = existsSync(file)

// Both packages are CommonJS whose types do not say so of their default export.
const load = createRequire(import.meta.url)
const { Ajv2020: Validator } = load('ajv/dist/2020.js') as { Ajv2020: typeof Ajv2020 }
const addFormats = load('ajv-formats') as FormatsPlugin

/** OpenAPI 3.0 habits of the document, rewritten as the JSON Schema that its version 3.1 claims to be. */
function toJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(toJsonSchema)
  if (!isObject(value)) return value
  const { nullable, discriminator, ...rest } = value
  const schema: Record<string, unknown> = {}
  for (const [key, member] of Object.entries(rest)) schema[key] = toJsonSchema(member)
  // `discriminator` is kept where it is a property's schema and not the keyword.
  if (isObject(discriminator) && !('propertyName' in discriminator))
    schema['discriminator'] = toJsonSchema(discriminator)
  return nullable === true ? withNull(schema) : schema
}

function withNull(schema: JsonObject): JsonObject {
  if ('$ref' in schema || !('type' in schema)) return { anyOf: [schema, { type: 'null' }] }
  const types = Array.isArray(schema['type']) ? schema['type'] : [schema['type']]
  const values = schema['enum']
  return { ...schema, type: [...types, 'null'], ...(Array.isArray(values) && { enum: [...values, null] }) }
}

function createValidator(): Ajv2020 {
  const document: unknown = parse(readFileSync(file, 'utf8'))
  const components = isObject(document) ? document['components'] : undefined
  const schemas = isObject(components) ? components['schemas'] : undefined
  if (!isObject(schemas)) throw new Error(`${file} holds no schemas`)
  const ajv = new Validator({ strict: false, allErrors: true, validateFormats: true, logger: false })
  addFormats(ajv)
  ajv.addFormat('unixtime', true)
  ajv.addSchema({ $id: 'openai', components: { schemas: toJsonSchema(schemas) } })
  return ajv
}

function createOracle(ajv: Ajv2020): (schema: OpenAiSchema) => ValidateFunction {
  const compiled = new Map<OpenAiSchema, ValidateFunction>()
  return (schema) => {
    const known = compiled.get(schema)
    if (known) return known
    const fresh = ajv.compile({ $ref: `openai#/components/schemas/${schema}` })
    compiled.set(schema, fresh)
    return fresh
  }
}

// Parsing the description takes about a second: once, when this file is first imported.
const validatorOf = openAiSchemaAvailable ? createOracle(createValidator()) : undefined
if (!validatorOf) console.log(`skipped: no check against OpenAI's own schemas, ${file} is not present`)

/** What OpenAI's schema finds wrong with `value`, one line a finding; empty where it is valid or the schema is absent. */
export function violations(schema: OpenAiSchema, value: unknown): readonly string[] {
  const validate = validatorOf?.(schema)
  if (!validate || validate(value)) return []
  return (validate.errors ?? []).map(describeViolation)
}

/** Fails the test where `value` does not match OpenAI's schema of that name. */
export function expectValid(schema: OpenAiSchema, value: unknown): void {
  expect(violations(schema, value), `not a valid ${schema}`).toEqual([])
}

function describeViolation(error: ErrorObject): string {
  const allowed: unknown = error.params['allowedValues']
  return `${error.instancePath || '/'} ${error.message ?? error.keyword}${Array.isArray(allowed) ? ` ${JSON.stringify(allowed)}` : ''}`
}
