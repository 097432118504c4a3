import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { readUpload } from '../../adapters/node-upload.js'
import { GatewayError } from '../../src/errors.js'
import { Deadlines } from '../../src/http/deadlines.js'
import { FakeClock } from '../support/fake-clock.js'

const late = (): GatewayError => new GatewayError('request_timeout', 'late')

function upload(limitBytes = 100) {
  const clock = new FakeClock()
  const incoming = new IncomingMessage(new Socket())
  const bytes = readUpload(incoming, limitBytes, new Deadlines(clock, 1_000, late))
  return { clock, incoming, bytes }
}

describe('an upload whose wait is bounded', () => {
  it('is given whole where it comes in time, and is waited for no longer', async () => {
    const { clock, incoming, bytes } = upload()
    incoming.push('{"a"')
    incoming.push(':1}')
    incoming.push(null)
    expect(Buffer.from(await bytes).toString()).toBe('{"a":1}')
    clock.advance(2_000)
    expect(clock.pending).toBe(0)
  })

  it('is late after its time, and not before', async () => {
    const { clock, incoming, bytes } = upload()
    incoming.push('{"a"')
    const told: string[] = []
    bytes.catch((error: GatewayError) => told.push(error.message))
    clock.advance(999)
    await new Promise(setImmediate)
    expect(told).toEqual([])
    clock.advance(1)
    await expect(bytes).rejects.toMatchObject({ kind: 'request_timeout' })
  })

  it('is waited for no longer once it is too large, or its client has left', async () => {
    const large = upload(3)
    large.incoming.push('{"a":1}')
    await expect(large.bytes).rejects.toMatchObject({ kind: 'payload_too_large' })
    const left = upload()
    left.incoming.push('{')
    left.incoming.destroy()
    await expect(left.bytes).rejects.toMatchObject({ kind: 'client_closed' })
    for (const { clock } of [large, left]) {
      clock.advance(2_000)
      expect(clock.pending).toBe(0)
    }
  })
})
