interface Signature {
  /** Text at the start, one character for each byte. */
  readonly start: string
  /** Further text, from the 4th or 8th byte on. */
  readonly inner?: { readonly at: number; readonly text: string }
  readonly type: string
}

const signatures: readonly Signature[] = [
  { start: '\u0089PNG\r\n\u001a\n', type: 'image/png' },
  { start: '\u00ff\u00d8\u00ff', type: 'image/jpeg' },
  { start: 'GIF8', type: 'image/gif' },
  { start: 'RIFF', inner: { at: 8, text: 'WEBP' }, type: 'image/webp' },
  { start: 'RIFF', inner: { at: 8, text: 'WAVE' }, type: 'audio/wav' },
  { start: '%PDF-', type: 'application/pdf' },
  { start: 'ID3', type: 'audio/mpeg' },
  { start: '\u00ff\u00fb', type: 'audio/mpeg' },
  { start: 'OggS', type: 'audio/ogg' },
  { start: 'fLaC', type: 'audio/flac' },
  { start: '', inner: { at: 4, text: 'ftypheic' }, type: 'image/heic' },
  { start: '', inner: { at: 4, text: 'ftypavif' }, type: 'image/avif' },
  { start: '', inner: { at: 4, text: 'ftyp' }, type: 'video/mp4' },
  { start: '\u001aE\u00df\u00a3', type: 'video/webm' },
]

/** The media type that a file's first bytes tell (https://mimesniff.spec.whatwg.org/); undefined for others. */
export function sniffMediaType(bytes: Buffer): string | undefined {
  const head = bytes.subarray(0, 16).toString('latin1')
  const found = signatures.find(
    ({ start, inner }) => head.startsWith(start) && (!inner || head.startsWith(inner.text, inner.at)),
  )
  return found?.type
}
