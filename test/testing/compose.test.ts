import { describe, expect, it } from 'vitest'
import { piecesOf } from '../../src/testing/compose.js'
import { sampleOf } from '../../src/testing/sample.js'

describe('piecesOf', () => {
  it.each(['', 'one', ' one  two\nthree ', '   ', 'é 漢字 👩‍👩‍👧', 'a\r\nb\t'])('joins to the text again: %j', (text) => {
    expect(piecesOf(text).join('')).toBe(text)
  })

  it('gives one piece per word, and no more than asked for', () => {
    expect(piecesOf('one  two three ')).toEqual(['one', '  two', ' three '])
    expect(piecesOf('one two three', 2)).toEqual(['one', ' two'])
  })

  it('takes time in proportion to the text', () => {
    const start = performance.now()
    piecesOf(' '.repeat(3_000_000))
    expect(performance.now() - start).toBeLessThan(2000)
  })
})

describe('sampleOf', () => {
  it('makes a value that fits, through references and nesting', () => {
    const schema = {
      $defs: { node: { type: 'object', properties: { kind: { const: 'x' }, next: { $ref: '#/$defs/node' } } } },
      type: 'object',
      properties: {
        size: { enum: ['s', 'm'] },
        tags: { type: 'array', items: { type: 'string', maxLength: 2 } },
        count: { type: 'integer', minimum: 10 },
        ratio: { type: 'NUMBER' },
        flag: { type: ['boolean', 'null'] },
        node: { $ref: '#/$defs/node' },
        either: { anyOf: [{ type: 'null' }, { type: 'string' }] },
      },
    }
    expect(sampleOf(schema, 'hello')).toMatchObject({
      size: 's',
      tags: ['he'],
      count: 10,
      ratio: 1.5,
      flag: true,
      node: { kind: 'x', next: { kind: 'x' } },
      either: null,
    })
  })
})
