import type { Candidate } from '../model-group.js'
import type { Strategy } from './strategy.js'

/** Told once what is wrong with a host's strategy. */
export type ReportFault = (fields: object, message: string) => void

/** A host's own strategy, whose faults fail no call: where it throws or gives no candidate, the first free one is picked. */
export function hostStrategy(strategy: Strategy, report: ReportFault): Strategy {
  let reported = false
  const fault = (fields: object): void => {
    if (!reported)
      report(fields, 'The routing strategy gave no candidate; the first free deployment is picked instead.')
    reported = true
  }
  /** What the host gives, where that is one of `offered`. */
  const ask = (pick: () => unknown, offered: readonly Candidate[]): Candidate | undefined => {
    try {
      const picked = pick()
      const candidate = offered.find((one) => one === picked)
      // An async function may fail later, where nobody listens.
      if (picked instanceof Promise) picked.catch(() => {})
      if (!candidate && picked !== undefined) fault({ picked: typeof picked })
      return candidate
    } catch (error) {
      fault({ error })
      return undefined
    }
  }
  return {
    name: strategy.name,
    honoursLimits: strategy.honoursLimits === true,
    pick(candidates, view) {
      const picked = ask(() => strategy.pick([...candidates], view) ?? null, candidates) ?? candidates[0]
      if (!picked) throw new RangeError('A pick needs at least one candidate.')
      return picked
    },
    ...(typeof strategy.sample === 'function' && {
      sample(draw, view) {
        const drawn: Candidate[] = []
        const noted = (): Candidate | undefined => {
          const candidate = draw()
          if (candidate) drawn.push(candidate)
          return candidate
        }
        return ask(() => strategy.sample?.(noted, view), drawn)
      },
    }),
  }
}
