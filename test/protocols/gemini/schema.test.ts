import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { toJsonSchemaField, toOpenApiParameters, toOpenApiSchema } from '../../../src/protocols/gemini/schema.js'
import { isObject, type JsonObject } from '../../../src/wire/json.js'
import { deepFreeze } from './fixtures.js'
import { schemaRules } from './strict-rules.js'

const string = { type: 'STRING' }

const conversions: readonly (readonly [string, JsonObject, JsonObject])[] = [
  ['writes types in capitals', { type: 'string' }, string],
  ['turns a null type into nullable', { type: ['string', 'null'] }, { type: 'STRING', nullable: true }],
  [
    'turns several types into anyOf',
    { type: ['string', 'integer', 'null'] },
    {
      anyOf: [
        { type: 'STRING', nullable: true },
        { type: 'INTEGER', nullable: true },
      ],
    },
  ],
  [
    'turns a null branch into nullable',
    { description: 'maybe', anyOf: [{ type: 'number' }, { type: 'null' }] },
    { type: 'NUMBER', nullable: true, description: 'maybe' },
  ],
  [
    'keeps only anyOf where there is one, also for oneOf',
    { title: 'T', type: 'object', oneOf: [{ type: 'string' }, { type: 'boolean' }] },
    { anyOf: [string, { type: 'BOOLEAN' }] },
  ],
  ['writes a constant as a choice of one', { const: 'cat' }, { type: 'STRING', enum: ['cat'] }],
  [
    'keeps choices only of strings, and never the empty one',
    { enum: ['a', '', null] },
    { type: 'STRING', nullable: true, enum: ['a'] },
  ],
  ['drops choices of numbers', { type: 'integer', enum: [1, 2] }, { type: 'INTEGER' }],
  ['keeps the format date-time', { type: 'string', format: 'date-time' }, { type: 'STRING', format: 'date-time' }],
  ['drops other formats of strings', { type: 'string', format: 'email' }, string],
  ['gives an array without items some', { type: 'array' }, { type: 'ARRAY', items: { type: 'OBJECT' } }],
  ['reads empty items as an object', { type: 'array', items: {} }, { type: 'ARRAY', items: { type: 'OBJECT' } }],
  [
    'reads a tuple as a list of its types',
    { type: 'array', prefixItems: [{ type: 'string' }, { type: 'number' }] },
    { type: 'ARRAY', items: { anyOf: [string, { type: 'NUMBER' }] } },
  ],
  ['omits an empty list of properties', { type: 'object', properties: {}, required: ['a'] }, { type: 'OBJECT' }],
  [
    'drops what the subset does not know',
    {
      $schema: 's',
      title: 't',
      type: 'object',
      additionalProperties: false,
      properties: { a: { type: 'string', default: 'x' } },
    },
    { type: 'OBJECT', properties: { a: string } },
  ],
  [
    'drops names from required that are no properties',
    { type: 'object', properties: { a: { type: 'string' } }, required: ['a', 'b', 'a'] },
    { type: 'OBJECT', properties: { a: string }, required: ['a'] },
  ],
  [
    'inlines references, with what stands beside them',
    {
      type: 'object',
      properties: { a: { $ref: '#/$defs/A', description: 'the a' } },
      $defs: { A: { type: 'string' } },
    },
    { type: 'OBJECT', properties: { a: { type: 'STRING', description: 'the a' } } },
  ],
  [
    'merges allOf',
    {
      allOf: [
        { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] },
        { properties: { b: { type: 'number' } }, required: ['b'] },
      ],
    },
    { type: 'OBJECT', properties: { a: string, b: { type: 'NUMBER' } }, required: ['a', 'b'] },
  ],
  [
    'ends a recursive type in a plain object',
    {
      type: 'object',
      properties: { node: { $ref: '#/$defs/Node' } },
      $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' } } } },
    },
    { type: 'OBJECT', properties: { node: { type: 'OBJECT', properties: { next: { type: 'OBJECT' } } } } },
  ],
  ['takes a reference to nowhere for any object', { $ref: '#/$defs/Gone' }, { type: 'OBJECT' }],
]

describe('toOpenApiSchema', () => {
  it.each(conversions)('%s', (_name, schema, expected) => {
    expect(toOpenApiSchema(deepFreeze(schema))).toEqual(expected)
    expect(schemaRules('schema', expected)).toEqual([])
  })

  it('keeps the order of properties where it is asked to', () => {
    const schema = { type: 'object', properties: { b: { type: 'string' }, a: { type: 'string' } } }
    expect(toOpenApiSchema(schema, { ordered: true })).toMatchObject({ propertyOrdering: ['b', 'a'] })
    expect(toOpenApiSchema(schema)).not.toHaveProperty('propertyOrdering')
  })

  it('stays small where references double with every level', () => {
    const levels = Array.from({ length: 30 }, (_, level) => {
      const next = { $ref: `#/$defs/L${level + 1}` }
      return [`L${level}`, { type: 'object', properties: { left: next, right: next } }] as const
    })
    const converted = toOpenApiSchema({ $ref: '#/$defs/L0', $defs: Object.fromEntries(levels) })
    expect(JSON.stringify(converted).length).toBeLessThan(1_000_000)
    expect(schemaRules('schema', converted)).toEqual([])
  })

  it('survives schemas that are nested without end', () => {
    let schema: JsonObject = { type: 'string' }
    for (let level = 0; level < 50_000; level++) schema = { type: 'array', items: schema }
    expect(schemaRules('schema', toOpenApiSchema(schema))).toEqual([])
    expect(() => toJsonSchemaField(schema)).not.toThrow()
  })

  it('never throws and stays within the subset, whatever the schema, cycles included', () => {
    fc.assert(
      fc.property(anySchema(), (schema) => {
        const before = JSON.stringify(schema)
        expect(schemaRules('schema', toOpenApiSchema(deepFreeze(schema)))).toEqual([])
        const parameters = toOpenApiParameters(schema)
        if (parameters) expect([...schemaRules('parameters', parameters), parameters['type']]).toEqual(['OBJECT'])
        expect(isObject(toJsonSchemaField(schema))).toBe(true)
        expect(JSON.stringify(schema)).toBe(before)
      }),
      { numRuns: 200 },
    )
  })
})

describe('toJsonSchemaField', () => {
  it('changes only what the API has other words for', () => {
    const schema = {
      $schema: 'https://json-schema.org/draft/2020-12/schema',
      type: 'object',
      properties: {
        const: { const: 1 },
        list: { type: 'array', items: { anyOf: [{ const: 'a' }, { $ref: '#/$defs/A' }] } },
      },
      $defs: { A: { type: 'object', additionalProperties: { const: true }, default: { const: 'data' } } },
    }
    expect(toJsonSchemaField(deepFreeze(schema))).toEqual({
      type: 'object',
      properties: {
        const: { enum: [1] },
        list: { type: 'array', items: { anyOf: [{ enum: ['a'] }, { $ref: '#/$defs/A' }] } },
      },
      $defs: { A: { type: 'object', additionalProperties: { enum: [true] }, default: { const: 'data' } } },
    })
  })
})

/** Random schemas with every keyword that matters, references into themselves, and plain nonsense. */
function anySchema(): fc.Arbitrary<JsonObject> {
  const names = ['A', 'B', 'C']
  const { schema } = fc.letrec<{ schema: JsonObject; node: JsonObject }>((tie) => ({
    schema: fc.oneof(
      { maxDepth: 3, depthIdentifier: 'schema' },
      fc.record({ type: fc.constant('string') }),
      tie('node'),
    ),
    node: fc.record(
      {
        type: fc.oneof(
          fc.constantFrom<unknown>(
            'string',
            'number',
            'integer',
            'boolean',
            'array',
            'object',
            'null',
            'STRING',
            'odd',
            7,
          ),
          fc.subarray(['string', 'number', 'null', 'object', 'array']),
        ),
        description: fc.oneof(fc.string(), fc.integer()),
        format: fc.constantFrom('date-time', 'email', 'int32', 'float', 'enum'),
        enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null))),
        const: fc.oneof(fc.string(), fc.integer(), fc.constant(null), fc.boolean()),
        nullable: fc.boolean(),
        minimum: fc.integer(),
        maxItems: fc.oneof(fc.nat(), fc.string()),
        pattern: fc.oneof(fc.string(), fc.integer()),
        required: fc.array(fc.oneof(fc.constantFrom('a', 'b'), fc.integer())),
        properties: fc.oneof(
          fc.dictionary(fc.constantFrom('a', 'b', '__proto__', 'constructor', 'toString'), tie('schema')),
          fc.constant([]),
        ),
        items: fc.oneof(tie('schema'), fc.array(tie('schema'), { maxLength: 3 }), fc.boolean()),
        prefixItems: fc.array(tie('schema'), { maxLength: 3 }),
        anyOf: fc.array(tie('schema'), { maxLength: 3 }),
        oneOf: fc.array(tie('schema'), { maxLength: 3 }),
        allOf: fc.array(fc.oneof(tie('schema'), fc.boolean()), { maxLength: 3 }),
        additionalProperties: fc.oneof(tie('schema'), fc.boolean()),
        $ref: fc.constantFrom(
          '#',
          '#/$defs/A',
          '#/$defs/B',
          '#/$defs/C/items',
          '#/properties/a',
          '#/%E0%A4%A',
          'http://x',
        ),
        $schema: fc.string(),
        default: fc.jsonValue(),
      },
      { requiredKeys: [] },
    ),
  }))
  return fc
    .tuple(schema, fc.tuple(...names.map(() => schema)))
    .map(([root, defs]) => ({ ...root, $defs: Object.fromEntries(names.map((name, index) => [name, defs[index]])) }))
}
