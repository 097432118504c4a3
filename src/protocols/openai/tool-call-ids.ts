const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** The id of a tool call that the provider gave none: the same in a stream and in a whole answer. */
export function toToolCallId(exchangeId: string, choice: number, position: number): string {
  return `call_${exchangeId}${choice === 0 ? '' : `_${choice}`}_${position}`
}

/** A tool call id as nine alphanumerics, the only form that Mistral takes; the same id always gives the same nine. */
export function toShortId(id: string): string {
  if (/^[A-Za-z0-9]{9}$/.test(id)) return id
  // Two FNV-1a hashes from different starts give 54 bits' worth of characters.
  let text = ''
  for (const seed of [0x811c9dc5, 0x01234567]) {
    let hash = seed
    for (let position = 0; position < id.length; position++) {
      hash = Math.imul(hash ^ id.charCodeAt(position), 0x01000193) >>> 0
    }
    for (let digits = 0; digits < 5; digits++) {
      text += alphabet.charAt(hash % alphabet.length)
      hash = Math.floor(hash / alphabet.length)
    }
  }
  return text.slice(0, 9)
}
