/** Which models somebody may use: names and patterns with one `*`; the empty list is none. */
export type ModelAccess = readonly string[] | 'all'

/** The names that a word of a model list stands for; undefined where it is no access group. */
export type AccessGroups = (name: string) => readonly string[] | undefined

/** A user's list: no models but those of the user's teams. */
const ofTeamsOnly = 'no-default-models'
/** A key's list: whatever its team may use. */
const ofTeam = 'all-team-models'
const everything: ReadonlySet<string> = new Set(['*', 'all-proxy-models'])

/** What a record's own list allows; none and the empty one allow everything. */
export function toAccess(models: readonly string[] | null | undefined, groups: AccessGroups): ModelAccess {
  if (!models || models.length === 0) return 'all'
  if (models.some((model) => everything.has(model))) return 'all'
  const named = models.filter((model) => model !== ofTeamsOnly && model !== ofTeam)
  return [...new Set(named.flatMap((model) => groups(model) ?? [model]))]
}

/** What a key's own list allows before its team narrows it. */
export function toKeyAccess(
  models: readonly string[] | null | undefined,
  hasTeam: boolean,
  groups: AccessGroups,
): ModelAccess {
  return hasTeam && models?.includes(ofTeam) ? 'all' : toAccess(models, groups)
}

/** What a user's list allows to one of the user's keys. */
export function toUserAccess(
  models: readonly string[] | null | undefined,
  hasTeam: boolean,
  groups: AccessGroups,
): ModelAccess {
  return hasTeam && models?.includes(ofTeamsOnly) ? 'all' : toAccess(models, groups)
}

/** What both allow. */
export function intersect(left: ModelAccess, right: ModelAccess): ModelAccess {
  if (left === 'all') return right
  if (right === 'all') return left
  const common = left.flatMap((one) => right.flatMap((other) => narrower(one, other) ?? []))
  return [...new Set(common)]
}

/** True where everything that `inner` allows is allowed by `outer` too. */
export function isWithin(inner: ModelAccess, outer: ModelAccess): boolean {
  if (outer === 'all') return true
  return inner !== 'all' && inner.every((model) => outer.some((allowed) => narrower(model, allowed) === model))
}

/** The pattern of the names that both cover; undefined where there are none, or no pattern says which. */
function narrower(left: string, right: string): string | undefined {
  if (left === right) return left
  const [a, b] = [split(left), split(right)]
  if (!a && !b) return undefined
  if (!a) return b && covers(b, left) ? left : undefined
  if (!b) return covers(a, right) ? right : undefined
  const prefix = longer(a.prefix, b.prefix, (long, short) => long.startsWith(short))
  const suffix = longer(a.suffix, b.suffix, (long, short) => long.endsWith(short))
  return prefix === undefined || suffix === undefined ? undefined : `${prefix}*${suffix}`
}

interface Pattern {
  readonly prefix: string
  readonly suffix: string
}

function split(model: string): Pattern | undefined {
  const star = model.indexOf('*')
  return star < 0 ? undefined : { prefix: model.slice(0, star), suffix: model.slice(star + 1) }
}

function covers({ prefix, suffix }: Pattern, name: string): boolean {
  // A star stands for one character at least, as in the model list.
  return name.length > prefix.length + suffix.length && name.startsWith(prefix) && name.endsWith(suffix)
}

function longer(a: string, b: string, holds: (long: string, short: string) => boolean): string | undefined {
  const [long, short] = a.length >= b.length ? [a, b] : [b, a]
  return holds(long, short) ? long : undefined
}
