import type { Deployment } from '../deployment.js'
import type { ModelGroup } from './model-group.js'

const defaultTag = 'default'

/**
 * Tells which deployments of a group serve a request with these tags, as LiteLLM's tag routing does: those that have
 * any (or all) of them, else those tagged `default`, else none. A request without tags goes to those tagged `default`,
 * or to all where none is. Decided by the whole group, whether or not its members can be asked just now: a deployment
 * that rests must not open the way to others. Undefined where all may serve.
 */
export function toTagFilter(
  { members }: ModelGroup,
  tags: readonly string[],
  match: 'any' | 'all',
): ((deployment: Deployment) => boolean) | undefined {
  const isDefault = (deployment: Deployment): boolean => deployment.tags.includes(defaultTag)
  const hasTags = (deployment: Deployment): boolean =>
    match === 'all'
      ? tags.every((tag) => deployment.tags.includes(tag))
      : tags.some((tag) => deployment.tags.includes(tag))
  if (tags.length > 0) return members.some((member) => hasTags(member.deployment)) ? hasTags : isDefault
  return members.some((member) => isDefault(member.deployment)) ? isDefault : undefined
}
