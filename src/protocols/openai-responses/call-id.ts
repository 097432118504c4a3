import { createHash } from 'node:crypto'

const longest = 64

/** A tool call id that the API takes (64 characters at most); the same id always gives the same one. */
export function toCallId(id: string): string {
  if (id.length <= longest) return id
  return `call_${createHash('sha256').update(id).digest('hex').slice(0, 40)}`
}
