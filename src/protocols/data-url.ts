/** The parts of a `data:` URL whose payload is base64. */
export interface DataUrl {
  /** Lower-case, without parameters. */
  readonly mediaType: string
  readonly base64: string
}

/** Splits `data:<type>;base64,<payload>` without copying the payload twice; undefined for anything else. */
export function parseDataUrl(url: string): DataUrl | undefined {
  if (!url.startsWith('data:')) return undefined
  const comma = url.indexOf(',')
  if (comma === -1) return undefined
  const [mediaType = '', ...parameters] = url.slice(5, comma).split(';')
  if (parameters.at(-1)?.trim().toLowerCase() !== 'base64') return undefined
  return { mediaType: mediaType.trim().toLowerCase() || 'application/octet-stream', base64: url.slice(comma + 1) }
}
