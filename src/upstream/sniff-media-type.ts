const signatures: readonly (readonly [RegExp, string])[] = [
  [/^\x89PNG\r\n\x1a\n/, 'image/png'],
  [/^\xff\xd8\xff/, 'image/jpeg'],
  [/^GIF8[79]a/, 'image/gif'],
  [/^RIFF....WEBP/s, 'image/webp'],
  [/^RIFF....WAVE/s, 'audio/wav'],
  [/^%PDF-/, 'application/pdf'],
  [/^(?:ID3|\xff[\xf2\xf3\xfb])/, 'audio/mpeg'],
  [/^OggS/, 'audio/ogg'],
  [/^fLaC/, 'audio/flac'],
  [/^....ftyp(?:heic|heix|mif1)/s, 'image/heic'],
  [/^....ftypavif/s, 'image/avif'],
  [/^....ftyp/s, 'video/mp4'],
  [/^\x1a\x45\xdf\xa3/, 'video/webm'],
]

/** The media type that a file's first bytes tell (https://mimesniff.spec.whatwg.org/); undefined for others. */
export function sniffMediaType(bytes: Buffer): string | undefined {
  const start = bytes.subarray(0, 16).toString('latin1')
  return signatures.find(([pattern]) => pattern.test(start))?.[1]
}
