import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { writeJson } from '../../src/wire/write-json.js'

const base64 = 'iVBORw0KGgoAAAANSUhE'.repeat(4_000)
const image = { type: 'image_url', image_url: { url: `data:image/png;base64,${base64}` } }

function written(value: unknown): string {
  const json = writeJson(value)
  return typeof json === 'string' ? json : Buffer.from(json).toString('utf8')
}

describe('writeJson', () => {
  it('gives text for values without files', () => {
    expect(writeJson({ model: 'fast', content: 'long\n'.repeat(50_000) })).toBeTypeOf('string')
  })

  it('gives the bytes of the same JSON for values with files', () => {
    const value = { model: 'günstig', messages: [{ role: 'user', content: [image, { text: '€ "\\' }, image] }], n: 1 }
    expect(writeJson(value)).toBeInstanceOf(Uint8Array)
    expect(written(value)).toBe(JSON.stringify(value))
  })

  it('writes the same JSON where texts look like its own placeholder', () => {
    for (const text of ['\u0000', '\\u0000', '"\\u0000"']) {
      const value = [image, text, { [text]: image }]
      expect(written(value)).toBe(JSON.stringify(value))
    }
  })

  it('writes the same JSON as JSON.stringify, whatever the value', () => {
    const leaf = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(base64, `${base64}é`, `${base64}"`, 1, null))
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.oneof(fc.string(), fc.constant(base64)), tie('value'), { maxKeys: 3 }),
      ),
    }))
    fc.assert(
      fc.property(value, (any) => {
        expect(written(any)).toBe(JSON.stringify(any))
      }),
      { numRuns: 100 },
    )
  })
})
