import type { SumsPruning } from '../ports/ledger.js'
import { toDay } from './roll-ups.js'

const dayMs = 86_400_000
/** Length of a week in milliseconds. */
export const weekMs = 7 * dayMs
// 1 January 1970 was a Thursday.
const firstMonday = 4 * dayMs

/** When the week of a time begins: its Monday, in UTC. */
export function weekOf(at: number): number {
  return Math.floor((at - firstMonday) / weekMs) * weekMs + firstMonday
}

/** When the month of a time begins, in UTC. */
export function monthOf(at: number): number {
  const date = new Date(at)
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth())
}

/** What is older is forgotten. */
export interface Cut {
  /** In milliseconds since the epoch: a Monday. */
  readonly at: number
  /** The same as a day. */
  readonly day: string
}

/** From when on sums stay; undefined: all do. */
export interface SumsCuts {
  readonly sums: Cut | undefined
  /** Of sessions. */
  readonly sessions: Cut | undefined
  /** True where whole sessions are forgotten; else they are kept as every scope is. */
  readonly forgetsSessions: boolean
}

/** What is to be forgotten of which sums. */
export function sumsCuts({ before, sessionsBefore }: SumsPruning): SumsCuts {
  const sums = toCut(before)
  const sessions = toCut(sessionsBefore)
  return { sums, sessions: sessions ?? sums, forgetsSessions: sessions !== undefined }
}

function toCut(before: number | undefined): Cut | undefined {
  if (before === undefined) return undefined
  const at = weekOf(before)
  return { at, day: toDay(at) }
}
