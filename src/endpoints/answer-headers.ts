import type { Served } from '../call/attempt.js'
import type { Headers } from '../http/message.js'

const notPrintable = /[^\x21-\x7e]/gu
const longestHeader = 2_000

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`
}

/** Headers that tell how an answer came to be: `x-sluice-dropped-params` lists what the provider could not honour. */
export function servedHeaders({ droppedParams }: Served): Headers {
  if (droppedParams.length === 0) return {}
  const text = droppedParams.join(',')
  // Clients choose the names of unknown parameters; what no header can carry is escaped, and the rest cut.
  return { 'x-sluice-dropped-params': text.replaceAll(notPrintable, escape).slice(0, longestHeader) }
}
