import type { Deployment } from '../../deployment.js'
import { settingOf } from '../settings.js'

/** Hugging Face's router: https://huggingface.co/docs/inference-providers */
export const routerUrl = 'https://router.huggingface.co'

/** A model at the router, taken apart. */
export interface RouterModel {
  /** The company that runs it; undefined where the router may choose. */
  readonly runner: string | undefined
  /** `owner/name`, perhaps with a policy (`:fastest`). */
  readonly name: string
}

/** `owner/name`, or `runner/owner/name`. */
export function toRouterModel(model: string): RouterModel {
  const [first, second, ...rest] = model.split('/')
  if (first === undefined || second === undefined || rest.length === 0) return { runner: undefined, name: model }
  return { runner: first, name: [second, ...rest].join('/') }
}

/** The name by which the router knows who is to run a model: `owner/name:runner`. */
export function toRouterName(model: string): string {
  const { runner, name } = toRouterModel(model)
  return runner === undefined || name.includes(':') ? name : `${name}:${runner}`
}

/** True where calls go to the router and not to an endpoint of the host's own. */
export function isRouter({ baseUrl }: Deployment): boolean {
  return baseUrl === undefined || new URL(baseUrl).hostname === new URL(routerUrl).hostname
}

/** True for an endpoint that speaks Text Generation Inference's own API (`settings.api: 'tgi'`). */
export function isTgi(deployment: Deployment): boolean {
  return settingOf(deployment, 'api') === 'tgi'
}

/** The path of a model that Hugging Face runs itself, or of an endpoint's only model. */
export function taskPath(task: string): (deployment: Deployment) => string {
  return (deployment) => {
    if (!isRouter(deployment)) return '/'
    const name = toRouterModel(deployment.model).name.split('/').map(encodeURIComponent).join('/')
    return `/hf-inference/models/${name}${task}`
  }
}
