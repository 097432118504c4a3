import type { CallQuery } from '../ports/calls.js'
import type { CallRecord } from '../ports/callback.js'

/** What a call is found by besides its time: pairs of a kind and a value, each once. */
export interface CallMark {
  readonly kind: string
  readonly value: string
}

/** The name that a call's model is looked up by. */
export function modelNameOf({ modelName, requestedModel }: Pick<CallRecord, 'modelName' | 'requestedModel'>): string {
  return modelName ?? requestedModel
}

/** Outcomes of most calls: there is no use in an index of these. */
const common: ReadonlySet<CallRecord['outcome']> = new Set(['answered', 'streamed'])

/** Everything that a record is found by, but for what most calls have in common: that they were answered. */
export function marksOf(record: CallRecord): readonly CallMark[] {
  const { scopes, tags, deployment, provider, status, outcome } = record
  const all: readonly CallMark[] = [
    ...scopes.map(({ kind, id }) => ({ kind, value: id })),
    ...tags.map((tag) => ({ kind: 'tag', value: tag })),
    ...(deployment === undefined ? [] : [{ kind: 'deployment', value: deployment }]),
    ...(provider === undefined ? [] : [{ kind: 'provider', value: provider }]),
    { kind: 'model', value: modelNameOf(record) },
    ...(common.has(outcome) ? [] : [{ kind: 'outcome', value: outcome }]),
    ...(status === 'failure' ? [{ kind: 'status', value: status }] : []),
  ]
  return [...new Map(all.map((mark) => [JSON.stringify(mark), mark])).values()]
}

/** The marks that a query asks for, the ones that fewest calls are likely to have first; status and outcome are to be compared besides. */
export function marksWanted({ scopes = [], modelName, status, outcome }: CallQuery): readonly CallMark[] {
  return [
    ...scopes.map(({ kind, id }) => ({ kind, value: id })),
    ...(outcome === undefined || common.has(outcome) ? [] : [{ kind: 'outcome', value: outcome }]),
    ...(status === 'failure' ? [{ kind: 'status', value: status }] : []),
    ...(modelName === undefined ? [] : [{ kind: 'model', value: modelName }]),
  ]
}
