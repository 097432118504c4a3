import type { Deployment } from '../../deployment.js'

/** The path of a model's endpoint; large models run on `gpu/`, and a model named `cpu/…` does not. */
export function modelPath({ model }: Deployment, endpoint: string): string {
  const [, place = '', name = model] = /^(gpu\/|cpu\/)?(.*)$/s.exec(model) ?? []
  return `/v1/${place === 'cpu/' ? '' : 'gpu/'}${encodeURIComponent(name)}/${endpoint}`
}
