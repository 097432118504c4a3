import type { GatewayError } from '../errors.js'

/** Model groups to ask, in order, by the group that failed; `*` stands for every group. */
export type FallbackTable = Readonly<Record<string, readonly string[]>>

/** Who takes over when a group cannot serve a call. */
export interface FallbackPolicy {
  /** After failures of deployments; never after the caller's own faults. */
  readonly general: FallbackTable
  /** After a prompt that was too long. @default `general` */
  readonly contextWindow: FallbackTable | undefined
  /** After a refusal for its content. @default none: nothing routes around a refusal */
  readonly contentPolicy: FallbackTable | undefined
  /** Of groups without an entry. */
  readonly always: readonly string[]
  /** Groups after the first. */
  readonly most: number
}

/** The groups to ask after `modelName` failed with `error`; empty for none. `own` are those that the request named. */
export function fallbacksAfter(
  error: GatewayError,
  modelName: string,
  policy: FallbackPolicy,
  own: readonly string[] | undefined,
): readonly string[] {
  if (error.kind === 'content_policy') return find(policy.contentPolicy, modelName) ?? []
  if (error.kind === 'context_window') {
    if (policy.contextWindow) return find(policy.contextWindow, modelName) ?? own ?? []
    return own ?? find(policy.general, modelName) ?? policy.always
  }
  if (!error.rule.reroute) return []
  return own ?? find(policy.general, modelName) ?? policy.always
}

/** Also found without the provider's prefix, as the reference does. */
function find(table: FallbackTable | undefined, modelName: string): readonly string[] | undefined {
  if (!table) return undefined
  for (const name of [modelName, modelName.slice(modelName.indexOf('/') + 1), '*']) {
    if (Object.hasOwn(table, name)) return table[name]
  }
  return undefined
}

/** Every group that a call of this group may end up at, itself first. */
export function reachableGroups<Group extends { readonly name: string }>(
  group: Group,
  { general, contextWindow, contentPolicy, always }: FallbackPolicy,
  findGroup: (modelName: string) => Group | undefined,
): readonly Group[] {
  const reached = new Map([[group.name, group]])
  for (const { name } of reached.values()) {
    const next = [general, contextWindow, contentPolicy].flatMap((table) => find(table, name) ?? [])
    for (const target of [...next, ...always]) {
      const found = findGroup(target)
      if (found && !reached.has(found.name)) reached.set(found.name, found)
    }
  }
  return [...reached.values()]
}
