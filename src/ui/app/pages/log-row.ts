import type { Json } from '../api.js'

/** A row of `GET /spend/logs/v2`. */
export interface LogRow {
  readonly id: string
  readonly request_id: string
  readonly call_type: string
  readonly api_key: string | null
  /** Dollars, with the mark-up. */
  readonly spend: number
  /** Dollars, without. */
  readonly provider_cost: number
  readonly prompt_tokens: number
  readonly completion_tokens: number
  readonly usage: Readonly<Record<string, number>>
  readonly startTime: string
  readonly endTime: string
  readonly completionStartTime: string | null
  readonly request_duration_ms: number
  readonly model: string
  readonly model_id: string
  readonly model_group: string
  readonly custom_llm_provider: string
  readonly caller: string
  readonly user: string | null
  readonly team_id: string | null
  readonly organization_id: string | null
  readonly customer: string | null
  readonly end_user: string | null
  readonly request_tags: readonly string[]
  readonly metadata: Json
  readonly cache_hit: 'True' | 'False'
  readonly status: 'success' | 'failure'
  readonly http_status: number
  readonly failure: string | null
  readonly price: Json | null
  readonly priced: boolean
  readonly estimated: boolean
  readonly aborted: boolean
  readonly billable: boolean
}
