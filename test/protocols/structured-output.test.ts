import { describe, expect, it } from 'vitest'
import { isJsonTool, schemaOf, toJsonTool } from '../../src/protocols/structured-output.js'

describe('the tool that stands in for a JSON schema', () => {
  const schema = { type: 'object', properties: { a: { type: 'string' } } }
  const format = { type: 'json_schema', json_schema: { name: 's', description: 'd', schema } }

  it('takes the schema as its parameters', () => {
    expect(toJsonTool(format)).toEqual({
      type: 'function',
      function: { name: 'json_tool_call', description: 'd', parameters: schema },
    })
    expect(isJsonTool('json_tool_call')).toBe(true)
    expect(isJsonTool(undefined)).toBe(false)
  })

  it('exists for a JSON schema only', () => {
    for (const other of [null, undefined, { type: 'text' }, { type: 'json_object' }]) {
      expect(toJsonTool(other)).toBeUndefined()
      expect(schemaOf(other)).toBeUndefined()
    }
    expect(schemaOf({ type: 'json_schema' })).toEqual({ type: 'object' })
  })
})
