import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { Secret } from '../../src/secret.js'
import { createSealer } from '../../src/stores/sealed-text.js'

const newKey = (id: string): { id: string; key: string } => ({ id, key: randomBytes(32).toString('base64url') })

describe('a sealed text', () => {
  const [first, second] = [newKey('first'), newKey('second')]

  it.each(['', 'sk-secret', 'ä💥\u0000', 'x'.repeat(100_000)])('opens to what it was', (text) => {
    const sealer = createSealer([first])
    expect(sealer.open(sealer.seal(text, 'place'), 'place')).toBe(text)
  })

  it('is another one each time, and holds nothing of the text', () => {
    const sealer = createSealer([{ id: 'first', key: new Secret(first.key) }])
    const [one, two] = [sealer.seal('sk-secret', 'place'), sealer.seal('sk-secret', 'place')]
    expect(one).not.toBe(two)
    expect(Buffer.from(one.split('.')[2] ?? '', 'base64url').toString('latin1')).not.toContain('secret')
  })

  it('opens nowhere else, and not when a single bit was changed', () => {
    const sealer = createSealer([first, second])
    const sealed = sealer.seal('sk-secret', 'place')
    expect(() => sealer.open(sealed, 'another place')).toThrow()
    expect(() => sealer.open(sealed.replace('.first.', '.second.'), 'place')).toThrow()
    const [version = '', id = '', content = ''] = sealed.split('.')
    const bytes = Buffer.from(content, 'base64url')
    for (let at = 0; at < bytes.length; at++) {
      const changed = Buffer.from(bytes)
      changed.writeUInt8(changed.readUInt8(at) ^ 1, at)
      expect(() => sealer.open(`${version}.${id}.${changed.toString('base64url')}`, 'place')).toThrow()
    }
    for (const cut of ['', 'v1', 'v1.first', 'v1.first.', `v1.first.${content.slice(0, 20)}`, `v2.first.${content}`]) {
      expect(() => sealer.open(cut, 'place')).toThrow()
    }
  })

  it('opens after a rotation, and is known to be old', () => {
    const sealed = createSealer([first]).seal('sk-secret', 'place')
    const rotated = createSealer([second, first])
    expect([rotated.open(sealed, 'place'), rotated.isCurrent(sealed)]).toEqual(['sk-secret', false])
    expect(rotated.isCurrent(rotated.seal('sk-secret', 'place'))).toBe(true)
    expect(() => createSealer([second]).open(sealed, 'place')).toThrow(/"first"/)
  })
})
