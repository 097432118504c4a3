import type { Json } from '../api.js'

/** What the client was told of a failure. */
export interface CallError {
  readonly kind: string
  readonly status: number
  readonly code: string | null
  readonly message: string
}

/** A row of `GET /calls`. */
export interface CallRow {
  readonly id: string
  readonly request_id: string
  readonly call_type: string
  readonly status: 'success' | 'failure'
  readonly outcome: string
  readonly http_status: number
  readonly error: CallError | null
  readonly requested_model: string
  readonly model_group: string | null
  readonly model: string | null
  readonly model_id: string | null
  readonly custom_llm_provider: string | null
  readonly caller: string
  readonly api_key: string | null
  readonly user: string | null
  readonly team_id: string | null
  readonly prompt_tokens: number
  readonly completion_tokens: number
  /** Dollars, with the mark-up. */
  readonly spend: number
  /** Dollars, without. */
  readonly provider_cost: number
  readonly priced: boolean
  readonly startTime: string
  readonly endTime: string
  readonly completionStartTime: string | null
  readonly request_duration_ms: number
}

/** One attempt at one deployment. */
export interface Attempt {
  readonly model_id: string
  readonly provider: string
  readonly model: string
  /** `first`, `retry`, `fallback` and so on. */
  readonly reason: string
  readonly outcome: 'answered' | 'failed' | 'cancelled'
  readonly sent: boolean
  readonly error: CallError | null | undefined
  readonly startTime: string
  readonly endTime: string
  readonly completionStartTime: string | null
  readonly provider_cost: number | null
}

/** The answer of `GET /calls/{id}`. */
export interface WholeCall extends CallRow {
  readonly attempts: readonly Attempt[]
  readonly price_lines: readonly Json[]
  readonly metadata: Json
  readonly request: unknown
  readonly response: unknown
}
