import { describe, expect, it } from 'vitest'
import { redact } from '../../src/call/redact.js'
import { Secret } from '../../src/secret.js'
import { deploymentOf } from '../support/deployment.js'

const deployment = deploymentOf({ apiKey: new Secret('my$ecret.key+1') })

describe('redact', () => {
  it.each([
    ['the very key', 'bad key my$ecret.key+1!', 'bad key ***!'],
    ['a masked key', 'Incorrect API key provided: sk-proj-********abcd. See', 'Incorrect API key provided: ***'],
    ['another key', 'got sk-ant-REDACTED here', 'got *** here'],
    ['a Google key', 'key AIzaSyA-1234567890_abc is not valid', 'key *** is not valid'],
  ])('takes out %s', (_, text, expected) => {
    expect(redact(text, deployment)).toContain(expected)
  })

  it('leaves ordinary words alone', () => {
    const text = 'The token-based limit of task-oriented models; risk-averse sk-8 key_1.'
    expect(redact(text, deployment)).toBe(text)
  })
})
