import { once } from 'node:events'
import { type Server, createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/clock.js'
import { GatewayError } from '../../src/errors.js'
import { createAddressGuard } from '../../src/upstream/address-guard.js'
import { CallSignal } from '../../src/upstream/call-signal.js'
import { type UpstreamClient, createUpstreamClient } from '../../src/upstream/client.js'
import { type Resolve, createGuardedConnector } from '../../src/upstream/guarded-connector.js'
import { readBody } from '../../src/upstream/response-body.js'
import { specialAddresses } from './address-corpus.js'

let server: Server
let port: number
let connections = 0
let hosts: (string | undefined)[] = []
const clients: UpstreamClient[] = []

beforeAll(async () => {
  server = createServer((request, response) => {
    hosts.push(request.headers.host)
    response.writeHead(200, { connection: 'close' }).end('hello')
  })
  server.on('connection', () => (connections += 1))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  port = (server.address() as AddressInfo).port
})

beforeEach(() => {
  connections = 0
  hosts = []
})

afterAll(async () => {
  await Promise.all(clients.map((client) => client.close()))
  server.close()
})

function clientOf(resolve: Resolve, privateNetworks: readonly string[] = []): UpstreamClient {
  const guard = createAddressGuard({ hosts: 'any', privateNetworks })
  const client = createUpstreamClient({
    connectTimeoutMs: 1_000,
    connector: createGuardedConnector(guard, 1_000, resolve),
  })
  clients.push(client)
  return client
}

const answering =
  (...addresses: readonly string[]): Resolve =>
  (_host, callback) =>
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    )

async function send(client: UpstreamClient, host: string): Promise<string> {
  const request = { path: '/', method: 'GET', headers: {}, body: null } as const
  const signal = new CallSignal(systemClock, 0)
  const response = await client.send({ ...request, origin: `http://${host}:${port}` }, signal, {
    connect: 2_000,
    headers: 2_000,
  })
  return (await readBody(response.body, 100)).toString()
}

async function refusalOf(promise: Promise<unknown>): Promise<string | null> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!GatewayError.isInstance(error)) throw new Error(`expected a GatewayError, got ${String(error)}`)
  return error.code
}

describe('createGuardedConnector', () => {
  it('connects to the address that it checked, and keeps the name in the request', async () => {
    const client = clientOf(answering('127.0.0.1'), ['127.0.0.1/32'])
    expect(await send(client, 'models.tenant.example')).toBe('hello')
    expect(hosts).toEqual([`models.tenant.example:${port}`])
  })

  it('connects to no special address that a name resolves to', async () => {
    for (const address of specialAddresses) {
      expect([address, await refusalOf(send(clientOf(answering(address)), 'rebound.example'))]).toEqual([
        address,
        'address_not_allowed',
      ])
    }
    expect(connections).toBe(0)
  })

  it('connects to no special address that stands in the URL', async () => {
    const client = clientOf(() => {
      throw new Error('an address needs no lookup')
    })
    for (const address of ['127.0.0.1', '[::1]', '[::ffff:127.0.0.1]', '169.254.169.254', '10.0.0.1']) {
      expect([address, await refusalOf(send(client, address))]).toEqual([address, 'address_not_allowed'])
    }
    expect(connections).toBe(0)
  })

  it('refuses a name with one bad address among good ones, and a name with none', async () => {
    expect(await refusalOf(send(clientOf(answering('8.8.8.8', '127.0.0.1')), 'mixed.example'))).toBe(
      'address_not_allowed',
    )
    expect(await refusalOf(send(clientOf(answering()), 'empty.example'))).toBe('address_not_allowed')
    expect(connections).toBe(0)
  })

  it('checks each connection anew, so that a name that changes its mind gains nothing', async () => {
    let asked = 0
    const rebinding: Resolve = (host, callback) => {
      asked += 1
      answering(asked === 1 ? '127.0.0.1' : '127.0.0.2')(host, callback)
    }
    const client = clientOf(rebinding, ['127.0.0.1/32'])
    expect(await send(client, 'rebinding.example')).toBe('hello')
    expect(await refusalOf(send(client, 'rebinding.example'))).toBe('address_not_allowed')
    expect([asked, connections]).toEqual([2, 1])
  })

  it('says of a name that does not exist what the other client says', async () => {
    const missing: Resolve = (_host, callback) => callback(Object.assign(new Error('x'), { code: 'ENOTFOUND' }), [])
    expect(await refusalOf(send(clientOf(missing), 'missing.example'))).toBe('upstream_connection_error')
  })
})
