import type { Json } from '../api.js'

/** A row of `GET /health/deployments`. */
export interface DeploymentHealth {
  readonly id: string
  readonly model_name: string
  readonly provider: string
  readonly model: string
  readonly state: 'healthy' | 'cooling' | 'half_open'
  readonly cooling_until: string | null
  readonly cause: { readonly kind: string; readonly status: number } | null
  readonly consecutive_failures: number
  readonly in_flight: number
  readonly requests_this_minute: number
  readonly tokens_this_minute: number
  readonly first_token_ms: { readonly p50: number | null; readonly p95: number | null }
}

/** A row of `GET /model/info`. */
export interface ModelInfo {
  readonly model_name: string
  readonly litellm_params: Json
  readonly model_info: Json
}
