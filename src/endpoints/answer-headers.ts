import type { Served } from '../call/attempt.js'
import type { Headers } from '../http/message.js'

const notPrintable = /[^\x21-\x7e]/gu
const longestHeader = 2_000

function escape(character: string): string {
  return `\\u{${character.codePointAt(0)?.toString(16) ?? ''}}`
}

const nothing: Headers = Object.freeze({})
const notBillable: Headers = Object.freeze({ 'x-sluice-billable': 'false' })

/**
 * Headers that tell how an answer came to be: `x-sluice-dropped-params` lists what the provider could not honour;
 * `x-sluice-billable: false` says that the caller's own credentials paid.
 */
export function servedHeaders({ droppedParams, billable }: Served): Headers {
  const paid = billable ? nothing : notBillable
  if (droppedParams.length === 0) return paid
  const text = droppedParams.join(',')
  // Clients choose the names of unknown parameters; what no header can carry is escaped, and the rest cut.
  return { ...paid, 'x-sluice-dropped-params': text.replaceAll(notPrintable, escape).slice(0, longestHeader) }
}
