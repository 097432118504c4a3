import { z } from 'zod'
import type { CallRecord } from '../../ports/callback.js'
import { createAlerts } from '../alerts.js'
import { deliverTo } from '../http.js'
import { jsonHeaders, secret, type SecretText } from '../settings.js'
import { defineSink } from '../sink.js'

/** Kinds of alerts. */
export const alertTypes = ['budget', 'cooldown', 'error_rate', 'slow_call', 'daily_report'] as const

/** Alerts in a Slack channel. */
export interface SlackOptions {
  /** An incoming webhook's address, which is a credential. */
  readonly webhookUrl: SecretText
  /** @default all */
  readonly alerts?: readonly (typeof alertTypes)[number][] | undefined
  /** A call is slow from so many milliseconds on. @default 300,000 */
  readonly slowMs?: number | undefined
  /** Share of a model group's calls that failed for a reason other than the caller. @default 0.2 */
  readonly errorRate?: number | undefined
  /** Calls of a model group within a window below which its share says nothing. @default 20 */
  readonly errorRateMinimum?: number | undefined
  /** Length of that window, in milliseconds. @default 300,000 */
  readonly errorRateWindowMs?: number | undefined
  /** Alerts are collected for so long and sent as one message, in milliseconds. @default 30,000 */
  readonly groupMs?: number | undefined
  /** An alert of the same kind about the same thing is not sent again for so long, in milliseconds. @default 3,600,000 */
  readonly repeatMs?: number | undefined
  /** When the daily report is sent: UTC, `HH:MM`. @default '08:00' */
  readonly reportAt?: string | undefined
}

const milliseconds = (standard: number) => z.number().int().positive().default(standard)

/** The shape of `SlackOptions`. */
export const slackSchema = z.strictObject({
  webhookUrl: secret.refine((url) => URL.canParse(url.reveal()) && /^https?:/.test(url.reveal()), {
    error: 'must be an http or https address',
  }),
  alerts: z.array(z.enum(alertTypes)).default([...alertTypes]),
  slowMs: milliseconds(300_000),
  errorRate: z.number().positive().max(1).default(0.2),
  errorRateMinimum: z.number().int().positive().default(20),
  errorRateWindowMs: milliseconds(300_000),
  groupMs: milliseconds(30_000),
  repeatMs: milliseconds(3_600_000),
  reportAt: z
    .string()
    .regex(/^([01]\d|2[0-3]):[0-5]\d$/, { error: 'must be a time such as 08:00' })
    .default('08:00'),
})

const longestText = 30_000

/** An incoming webhook: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks/ */
export const slack = defineSink(slackSchema, (settings, { send, clock }) => {
  const alerts = createAlerts(settings, clock)
  return {
    name: 'slack',
    // Slack takes one message a second: everything that waits is one message.
    batchSize: 1_000,
    parallel: 1,
    delayMs: settings.groupMs,
    take: (record: CallRecord) => alerts.onRecord(record),
    takeEvent: (event) => alerts.onEvent(event),
    start: (add) => alerts.startReports(add),
    async deliver(lines, deadlineMs) {
      const text = lines.join('\n').slice(0, longestText)
      const request = { url: settings.webhookUrl.reveal(), headers: jsonHeaders, body: JSON.stringify({ text }) }
      await deliverTo(send, request, deadlineMs)
      return {}
    },
  }
})
