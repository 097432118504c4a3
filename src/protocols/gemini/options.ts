import type { Deployment } from '../../deployment.js'

/** The few things in which the hosts of generateContent differ; everything else of the dialect is shared. */
export interface GeminiOptions {
  /** Send `id` on functionCall and functionResponse parts. */
  readonly functionCallIds: boolean
  /** `labels` is a field of the request. */
  readonly labels: boolean
  /** Any https address may be handed over, whatever the model. */
  readonly urlFiles: boolean
  /** What a bare `files/…` name is completed with; undefined where such files do not exist. */
  readonly filesRoot: string | undefined
  /** A user turn without text gets a blank one. */
  readonly textBesideMedia: boolean
  /** The path of a method such as `generateContent`, without query, parts percent-encoded. */
  readonly path: (deployment: Deployment, method: string) => string
}

/** `models/x` for a bare name; `models/…` and `tunedModels/…` are kept; the rest is percent-encoded. */
export function toModelResource(model: string): string {
  const [, collection = 'models', name = ''] = /^(?:(models|tunedModels)\/)?(.*)$/s.exec(model) ?? []
  return `${collection}/${encodeURIComponent(name)}`
}

/** Google AI Studio: https://ai.google.dev/api/generate-content. */
export const aiStudio: GeminiOptions = {
  functionCallIds: true,
  labels: false,
  urlFiles: false,
  filesRoot: 'https://generativelanguage.googleapis.com/v1beta/',
  textBesideMedia: false,
  path: ({ model, apiVersion }, method) =>
    `/${encodeURIComponent(apiVersion ?? 'v1beta')}/${toModelResource(model)}:${method}`,
}
