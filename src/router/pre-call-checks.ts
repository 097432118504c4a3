import { type ModelProfile, capabilitiesOf } from '../catalog/capabilities.js'
import type { Deployment } from '../deployment.js'
import { stringOf } from '../wire/json.js'
import type { Choice, Obstacle } from './choose.js'
import type { Member, ModelGroup } from './model-group.js'
import { toTagFilter } from './tag-filter.js'

/** What is checked before a deployment is picked. */
export interface CheckPolicy {
  /** Context windows and capabilities. */
  readonly preCallChecks: boolean
  /** `tpm` of deployments is a limit, for which the input has to be estimated. */
  readonly enforceRates: boolean
  /** How many of a request's tags a deployment must have; undefined where tags do not count. */
  readonly tagMatch: 'any' | 'all' | undefined
}

/** What checks ask of a request; the methods are called only where a deployment of the group makes it matter. */
export interface CheckedRequest {
  readonly tags: readonly string[]
  /** Where the data of the caller may be processed; undefined for anywhere. */
  readonly region: string | undefined
  /** Tokens of the input: the best guess, and what it surely is at least. */
  inputTokens(): { readonly guess: number; readonly atLeast: number }
  needs(): RequestNeeds
}

/** What a model must be able to do for a request. */
export interface RequestNeeds {
  readonly tools: boolean
  readonly vision: boolean
  readonly jsonSchema: boolean
}

/** What one request means for the members of one group. */
export interface GroupFacts {
  readonly check: Choice['check']
  /** Estimate of the input in tokens; 0 where nothing in the group needs one. */
  readonly inputTokens: number
}

/** Nothing is asked. */
export const noFacts: GroupFacts = Object.freeze({ check: undefined, inputTokens: 0 })

/** Tells what a request means for a group. */
export type PreCallChecks = (request: CheckedRequest, group: ModelGroup) => GroupFacts

interface GroupProfile {
  readonly models: ReadonlyMap<Member, ModelProfile>
  readonly hasWindow: boolean
  readonly hasTpm: boolean
  readonly hasLimits: boolean
  /** Some model writes JSON by a schema of its own accord; others are asked to by a detour. */
  readonly hasJsonSchema: boolean
}

/** Prepares the checks of one gateway; what is known of a group's models is looked up once. */
export function createPreCallChecks({ preCallChecks, enforceRates, tagMatch }: CheckPolicy): PreCallChecks {
  const profiles = new WeakMap<ModelGroup, GroupProfile>()
  const profileOf = (group: ModelGroup): GroupProfile => {
    const known = profiles.get(group) ?? toProfile(group)
    profiles.set(group, known)
    return known
  }
  return (request, group) => {
    const profile = preCallChecks || enforceRates ? profileOf(group) : undefined
    const fits = tagMatch && toTagFilter(group, request.tags, tagMatch)
    const canServe = preCallChecks && profile ? toModelCheck(request, profile) : undefined
    const inputTokens = enforceRates && profile?.hasTpm ? request.inputTokens().guess : 0
    const { region } = request
    if (!fits && !canServe && region === undefined) return { check: undefined, inputTokens }
    const check = (member: Member): Obstacle | undefined => {
      if (fits && !fits(member.deployment)) return 'tags'
      // Where a deployment's region is not known, the data might go anywhere.
      if (region !== undefined && member.deployment.region !== region) return 'region'
      return canServe?.(member)
    }
    return { check, inputTokens }
  }
}

/** What models are known not to do; undefined where the request asks nothing that one of the group cannot do. */
function toModelCheck(request: CheckedRequest, profile: GroupProfile): Choice['check'] {
  if (!profile.hasWindow && !profile.hasLimits) return undefined
  const atLeast = profile.hasWindow ? request.inputTokens().atLeast : 0
  const needs = profile.hasLimits ? request.needs() : noNeeds
  return (member) => {
    const model = profile.models.get(member)
    if (!model) return undefined
    if (model.contextWindow !== undefined && atLeast > model.contextWindow) return 'context_window'
    if ((needs.tools && !model.tools) || (needs.vision && !model.vision)) return 'capability'
    // What a deployment may leave out does not rule it out.
    const schemaMatters = needs.jsonSchema && profile.hasJsonSchema && !member.deployment.dropParams
    return schemaMatters && !model.jsonSchema ? 'capability' : undefined
  }
}

const noNeeds: RequestNeeds = Object.freeze({ tools: false, vision: false, jsonSchema: false })

function toProfile({ members }: ModelGroup): GroupProfile {
  const models = new Map(members.map((member) => [member, modelOf(member.deployment)]))
  const known = [...models.values()]
  return {
    models,
    hasWindow: known.some((model) => model.contextWindow !== undefined),
    hasTpm: members.some(({ deployment }) => deployment.tpm !== undefined),
    hasLimits: known.some((model) => !model.tools || !model.vision || !model.jsonSchema),
    hasJsonSchema: known.some((model) => model.jsonSchema),
  }
}

/** A deployment on Azure may be called anything; its `base_model` tells what it is. */
function modelOf({ provider, model, info, capabilities }: Deployment): ModelProfile {
  return capabilitiesOf(provider, stringOf(info['base_model']) ?? model, capabilities)
}
