import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type AlertSettings, createAlerts } from '../../src/callbacks/alerts.js'
import { GatewayError } from '../../src/errors.js'
import { FakeClock } from '../support/fake-clock.js'
import { failedRecord, openCallbacks, sampleRecord, startedAt } from './lab.js'
import { type RecordingServer, startRecordingServer } from './recording-server.js'

const settings: AlertSettings = {
  alerts: ['budget', 'cooldown', 'error_rate', 'slow_call', 'daily_report'],
  slowMs: 300_000,
  errorRate: 0.2,
  errorRateMinimum: 20,
  errorRateWindowMs: 300_000,
  repeatMs: 3_600_000,
  reportAt: '08:00',
}

function open(own: Partial<AlertSettings> = {}) {
  const clock = new FakeClock()
  return { clock, alerts: createAlerts({ ...settings, ...own }, clock) }
}

const cooldown = { type: 'cooldown', deployment: 'dep-a', modelName: 'fast', cause: 'rate', until: 65_000, at: 5_000 }
const softBudget = { type: 'soft_budget', at: 1, scope: { kind: 'team', id: 'red' }, softBudget: 10, spent: 10.5 }

describe('alerts', () => {
  it('tell of a model group that fails often, once there are enough calls to say so', () => {
    const { alerts } = open()
    const lines = Array.from({ length: 40 }, (_, index) =>
      alerts.onRecord(index % 4 === 0 ? failedRecord() : sampleRecord()),
    )
    expect(lines.slice(0, 19).every((line) => line === undefined)).toBe(true)
    expect(lines[19]).toMatch(/\*fast\* fails: 25 % of 20 calls/)
    expect(lines.slice(20).every((line) => line === undefined)).toBe(true)
  })

  it('do not blame a model group for what callers do', () => {
    const { alerts } = open()
    const error = new GatewayError('invalid_request', 'No.')
    const refused = failedRecord({ ending: { error, stream: false, contentSent: false } })
    expect(Array.from({ length: 40 }, () => alerts.onRecord(refused)).every((line) => line === undefined)).toBe(true)
  })

  it('forget failures of an earlier window', () => {
    const { alerts, clock } = open()
    for (let index = 0; index < 19; index += 1) alerts.onRecord(failedRecord())
    clock.advance(300_000)
    const lines = Array.from({ length: 20 }, () => alerts.onRecord(sampleRecord()))
    expect(lines.every((line) => line === undefined)).toBe(true)
  })

  it('tell of slow calls, budgets and cooldowns', () => {
    const { alerts } = open()
    expect(alerts.onRecord(sampleRecord({ endedAt: startedAt + 301_000 }))).toMatch(
      /\*fast\* took 301 s \(call `req_abc`\)/,
    )
    const error = new GatewayError('budget_exceeded', 'Spend has reached the budget.')
    const refused = failedRecord({ ending: { error, stream: false, contentSent: false } })
    expect(alerts.onRecord(refused)).toMatch(/Budget exceeded by \*alice\*: Spend has reached/)
    expect(alerts.onEvent(cooldown)).toMatch(/Deployment \*dep-a\* of fast rests for 60 s/)
    expect(alerts.onEvent(softBudget)).toMatch(/\*team red\* has spent \$10.5: more than its soft budget of \$10/)
    expect(alerts.onEvent({ type: 'ledger_rows_lost', at: 1 })).toMatch(/Rows of the ledger are lost/)
    expect(alerts.onEvent({ type: 'recovered', at: 1 })).toBeUndefined()
    expect(alerts.onEvent({ type: 'toString', at: 1 })).toBeUndefined()
  })

  it('do not repeat themselves within the hour, and then tell how often it was', () => {
    const { alerts, clock } = open()
    expect(alerts.onEvent(cooldown)).toMatch(/rests for 60 s/)
    expect(alerts.onEvent(cooldown)).toBeUndefined()
    expect(alerts.onEvent(cooldown)).toBeUndefined()
    clock.advance(3_600_000)
    expect(alerts.onEvent(cooldown)).toMatch(/\(and 2 more since the last alert\)/)
  })

  it('are only those that are wanted', () => {
    const { alerts } = open({ alerts: ['budget'] })
    expect(alerts.onEvent(cooldown)).toBeUndefined()
    expect(alerts.onEvent(softBudget)).toMatch(/more than its soft budget/)
  })

  it('report every day at the same time', () => {
    const { alerts, clock } = open()
    const reports: string[] = []
    // The fake clock begins at 08:00 UTC.
    const stop = alerts.startReports((line) => reports.push(line))
    for (let index = 0; index < 3; index += 1) alerts.onRecord(sampleRecord())
    alerts.onRecord(failedRecord({ modelName: 'slow' }))
    clock.advance(24 * 3_600_000 - 1)
    expect(reports).toEqual([])
    clock.advance(1)
    expect(reports[0]?.split('\n')).toEqual([
      ':bar_chart: *Daily report*: 4 calls, 1 failed, 510 tokens, $0.00',
      '• fast: 3 calls, 0 failed, 510 tokens, $0.00',
      '• slow: 1 calls, 1 failed, 0 tokens, $0.00',
    ])
    clock.advance(24 * 3_600_000)
    expect(reports[1]).toBe(':bar_chart: *Daily report*: no calls')
    stop()
    clock.advance(48 * 3_600_000)
    expect(reports).toHaveLength(2)
  })

  it('cannot be used to call or deceive a channel', () => {
    const { alerts } = open()
    const record = sampleRecord({ modelName: '<!channel> *x* `y`\n@here', endedAt: startedAt + 400_000 })
    expect(alerts.onRecord(record)).toContain('*&lt;!channel&gt;  x   y  @here*')
  })
})

describe('Slack', () => {
  let server: RecordingServer
  beforeEach(async () => {
    server = await startRecordingServer()
  })
  afterEach(() => server.close())

  it('gets one message for all alerts that came together, and again after a 429', async () => {
    server.script.push({ status: 429, headers: { 'retry-after': '1' } })
    const lab = openCallbacks([{ type: 'slack', webhookUrl: `${server.url}/services/T0/B0/secret`, groupMs: 20 }])
    lab.callbacks.event(cooldown)
    lab.callbacks.event(softBudget)
    lab.callbacks.event({ ...cooldown, deployment: 'dep-b' } as typeof cooldown)
    await server.received(2)
    await lab.close()
    expect(server.requests).toHaveLength(2)
    expect(server.requests[1]).toMatchObject({ method: 'POST', path: '/services/T0/B0/secret' })
    expect(server.requests[1]?.json.text.split('\n')).toHaveLength(3)
    expect(lab.callbacks.stats['slack']).toEqual({ queued: 0, delivered: 3, dropped: 0, failed: 0 })
    expect(lab.log.join()).not.toContain('secret')
  })
})
