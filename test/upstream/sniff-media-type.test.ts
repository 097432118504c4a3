import { describe, expect, it } from 'vitest'
import { sniffMediaType } from '../../src/upstream/sniff-media-type.js'

describe('sniffMediaType', () => {
  it.each([
    ['89504e470d0a1a0a00', 'image/png'],
    ['ffd8ffe000104a464946', 'image/jpeg'],
    ['474946383961', 'image/gif'],
    ['524946460000000057454250', 'image/webp'],
    ['524946460000000057415645', 'audio/wav'],
    ['255044462d312e37', 'application/pdf'],
    ['494433040000', 'audio/mpeg'],
    ['fffb9064', 'audio/mpeg'],
    ['4f676753', 'audio/ogg'],
    ['664c6143', 'audio/flac'],
    ['00000018667479706865696300', 'image/heic'],
    ['00000020667479706176696600', 'image/avif'],
    ['000000206674797069736f6d00', 'video/mp4'],
    ['1a45dfa3', 'video/webm'],
  ])('takes %s for %s', (hex, type) => expect(sniffMediaType(Buffer.from(hex, 'hex'))).toBe(type))

  it.each(['', '<html>', 'root:x:0:0:', '{"a":1}', 'RIFF', 'PNG'])('knows no type for %j', (text) =>
    expect(sniffMediaType(Buffer.from(text))).toBeUndefined(),
  )
})
