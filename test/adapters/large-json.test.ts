import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { parseJson } from '../../adapters/json-body.js'
import { parseAroundData } from '../../adapters/large-json.js'

const data = 'iVBORw0KGgoAAAANSUhE'.repeat(8_000)
const url = `data:image/png;base64,${data}`
const decode = (bytes: Uint8Array): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes)
const parseCut = (text: string): unknown => parseAroundData(Buffer.from(text), decode)

describe('parseAroundData', () => {
  it('parses a body with files as JSON.parse does', () => {
    const body = { model: 'günstig', messages: [{ role: 'user', content: [{ text: '€ \\ "' }, { url }, { url }] }] }
    expect(parseCut(JSON.stringify(body))).toEqual(body)
    expect(parseCut(JSON.stringify(body, null, 2))).toEqual(body)
  })

  it('leaves bodies without large files to the caller', () => {
    expect(parseCut(JSON.stringify({ text: 'long '.repeat(50_000) }))).toBeUndefined()
    expect(parseCut(JSON.stringify({ url: 'data:image/png;base64,AAAA' }))).toBeUndefined()
    expect(parseCut(JSON.stringify([url, 'long '.repeat(50_000)]))).toBeUndefined()
  })

  it('leaves bodies to the caller whose own texts could be taken for a placeholder', () => {
    expect(parseCut(JSON.stringify([url, '\u00000']))).toBeUndefined()
  })

  it('keeps a member named __proto__ a plain member', () => {
    const parsed = parseCut(`{"__proto__":{"url":"${url}"}}`)
    expect(Object.keys(Object(parsed))).toEqual(['__proto__'])
    expect(Reflect.get(Object(parsed), 'polluted')).toBeUndefined()
  })

  it('refuses what is not JSON or not UTF-8', () => {
    for (const text of [`{"a":"${url}"`, `["${url}"]]`, `"${url}""${url}"`, `[;base64,"${url}"]`]) {
      expect(() => parseJson(Buffer.from(text))).toThrow('not valid JSON')
    }
    const broken = Buffer.concat([Buffer.from(`["${url}","`), Buffer.from([0xff]), Buffer.from('"]')])
    expect(() => parseJson(broken)).toThrow('not valid UTF-8')
  })

  it('parses the same as JSON.parse, wherever the data stands', () => {
    const large = [url, `say "${url}"`, `\\${url}`, `${url}\n`, `é${url}`, `${url};base64,`, `;base64,${data}`]
    const small = ['', 'text', '"', '\\', ';base64,', 'data:;base64,AAAA']
    const leaf = fc.constantFrom(...large, ...small, 1, true, null)
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        leaf,
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('a', 'b', '"', '\\', url, '__proto__'), tie('value'), { maxKeys: 3 }),
      ),
    }))
    fc.assert(
      fc.property(value, fc.constantFrom(undefined, 1), (any, indent) => {
        const text = JSON.stringify([url, any], null, indent)
        expect(parseJson(Buffer.from(text))).toEqual(JSON.parse(text))
      }),
      { numRuns: 100 },
    )
  })
})
