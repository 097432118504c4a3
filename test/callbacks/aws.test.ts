import { createHash, createHmac } from 'node:crypto'
import { SignatureV4 } from '@smithy/signature-v4'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { SinkOptions } from '../../src/callbacks/index.js'
import { openCallbacks, sampleRecord } from './lab.js'
import { type RecordedRequest, type RecordingServer, startRecordingServer } from './recording-server.js'

const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' }
const region = 'eu-west-1'

let server: RecordingServer
beforeEach(async () => {
  server = await startRecordingServer()
})
afterEach(() => server.close())

/** The hash that AWS's own signer is given. */
class Sha256 {
  readonly #hash
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    const key = typeof secret === 'string' || secret === undefined ? secret : toBytes(secret)
    this.#hash = key === undefined ? createHash('sha256') : createHmac('sha256', key)
  }
  update(chunk: string | ArrayBuffer | ArrayBufferView) {
    this.#hash.update(typeof chunk === 'string' ? chunk : toBytes(chunk))
  }
  digest(): Promise<Uint8Array> {
    return Promise.resolve(new Uint8Array(this.#hash.digest()))
  }
  reset() {}
}

function toBytes(data: ArrayBuffer | ArrayBufferView): Buffer {
  return data instanceof ArrayBuffer ? Buffer.from(data) : Buffer.from(data.buffer, data.byteOffset, data.byteLength)
}

/** What AWS's own signer makes of a request that came in. */
async function expectedSignature(request: RecordedRequest, service: string): Promise<string> {
  const signer = new SignatureV4({
    service,
    region,
    credentials: keys,
    sha256: Sha256,
    applyChecksum: false,
    // S3 is the one service whose paths are encoded once.
    uriEscapePath: service !== 's3',
  })
  const signed = Object.entries(request.headers).filter(
    ([name]) => name === 'host' || name === 'content-type' || name.startsWith('x-amz-'),
  )
  const stamp = request.headers['x-amz-date'] ?? ''
  const iso = stamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z')
  const { headers } = await signer.sign(
    {
      method: request.method,
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: request.path,
      headers: Object.fromEntries(signed),
      body: request.text,
    },
    { signingDate: new Date(iso) },
  )
  return headers['authorization'] ?? ''
}

const signatureOf = (authorization: string | undefined): string =>
  /Signature=([\da-f]{64})$/.exec(authorization ?? '')?.[1] ?? 'none'

describe('S3', () => {
  const sink = (own: object = {}): SinkOptions => ({
    type: 's3',
    bucket: 'my-logs',
    region,
    endpoint: server.url,
    credentials: keys,
    prefix: 'calls/by_day/',
    ...own,
  })

  it('gets one object of lines for a batch, signed as AWS signs', async () => {
    const lab = openCallbacks([sink()])
    lab.record(sampleRecord())
    lab.record(sampleRecord({ id: 'rec_0009' }))
    await lab.close()
    const [request, ...others] = server.requests
    if (!request) throw new Error('nothing came')
    expect(others).toEqual([])
    expect(request.method).toBe('PUT')
    expect(request.path).toMatch(/^\/my-logs\/calls\/by_day\/2026-11-25\/12-00-01-600-[\da-f]{24}\.jsonl$/)
    expect(
      request.text
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).id),
    ).toEqual(['rec_0001', 'rec_0009'])
    expect(request.headers['x-amz-content-sha256']).toBe(createHash('sha256').update(request.bytes).digest('hex'))
    expect(signatureOf(request.headers['authorization'])).toBe(signatureOf(await expectedSignature(request, 's3')))
  })

  it('asks the host for credentials at every delivery', async () => {
    let asked = 0
    const credentials = () => Promise.resolve({ ...keys, sessionToken: `token-${(asked += 1)}` })
    server.script.push({ status: 503 })
    const lab = openCallbacks([sink({ credentials })], { queue: { delayMs: 20 } })
    lab.record(sampleRecord())
    await server.received(2)
    await lab.close()
    expect(server.requests.map(({ headers }) => headers['x-amz-security-token'])).toEqual(['token-1', 'token-2'])
    expect(server.requests[0]?.path).toBe(server.requests[1]?.path)
  })

  it('goes to the bucket of its region where no endpoint is given', async () => {
    const urls: string[] = []
    const { createCallbacks } = await import('../../src/callbacks/index.js')
    const { createNotebook, fastClock } = await import('./lab.js')
    const send = ({ url }: { readonly url: string }) => {
      urls.push(url)
      return Promise.resolve({ status: 200, text: '', retryAfterMs: undefined })
    }
    const sinks: SinkOptions[] = [
      { type: 's3', bucket: 'my-logs', region, credentials: keys },
      { type: 's3', name: 'dots', bucket: 'my.logs', region: 'cn-north-1', credentials: keys },
      { type: 'dynamodb', table: 'calls', region, credentials: keys },
    ]
    const callbacks = createCallbacks({ sinks }, { send, clock: fastClock, logger: createNotebook() })
    callbacks.record(() => sampleRecord())
    await callbacks.close(10_000)
    expect(urls.map((url) => url.replace(/\/sluice\/.*/, ''))).toEqual([
      'https://my-logs.s3.eu-west-1.amazonaws.com',
      'https://s3.cn-north-1.amazonaws.com.cn/my.logs',
      'https://dynamodb.eu-west-1.amazonaws.com/',
    ])
  })
})

describe('DynamoDB', () => {
  const sink = (): SinkOptions => ({
    type: 'dynamodb',
    table: 'calls',
    key: 'pk',
    region,
    endpoint: server.url,
    credentials: keys,
  })

  it('gets items of its own types, signed as AWS signs', async () => {
    const lab = openCallbacks([sink()])
    lab.record(sampleRecord())
    await lab.close()
    const [request] = server.requests
    if (!request) throw new Error('nothing came')
    expect(request).toMatchObject({ method: 'POST', path: '/' })
    expect(request.headers).toMatchObject({
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-target': 'DynamoDB_20120810.BatchWriteItem',
    })
    expect(request.json.RequestItems.calls[0].PutRequest.Item).toMatchObject({
      pk: { S: 'rec_0001' },
      stream: { BOOL: true },
      inputTokens: { N: '120' },
      tags: { L: [{ S: 'blue' }] },
      usage: { M: { outputText: { N: '40' } } },
    })
    expect(request.text).not.toContain('undefined')
    expect(signatureOf(request.headers['authorization'])).toBe(
      signatureOf(await expectedSignature(request, 'dynamodb')),
    )
  })

  it('gets 25 items at most, and again what it did not process or throttled', async () => {
    const unprocessed = { calls: [{ PutRequest: { Item: { pk: { S: 'rec_3' } } } }] }
    server.script.push(
      { status: 400, body: JSON.stringify({ __type: 'com.amazonaws.dynamodb.v20120810#ThrottlingException' }) },
      { status: 200, body: JSON.stringify({ UnprocessedItems: unprocessed }) },
    )
    const lab = openCallbacks([sink()])
    for (let index = 0; index < 25; index += 1) lab.record(sampleRecord({ id: `rec_${index}` }))
    await server.received(3)
    await lab.close()
    expect(server.requests.map(({ json }) => json.RequestItems.calls.length)).toEqual([25, 25, 1])
    expect(lab.callbacks.stats['dynamodb']).toEqual({ queued: 0, delivered: 25, dropped: 0, failed: 0 })
  })
})
