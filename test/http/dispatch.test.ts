import { describe, expect, it, vi } from 'vitest'
import { z } from 'zod'
import { GatewayError } from '../../src/errors.js'
import { type Dispatch, type DispatchParts, createDispatch } from '../../src/http/dispatch.js'
import type { HttpBodyResponse } from '../../src/http/message.js'
import { createRouteTable, defineRoute } from '../../src/http/route.js'
import type { Auth } from '../../src/ports.js'
import { FakeClock } from '../support/fake-clock.js'
import { anyCaller } from '../support/deployment.js'
import { requestOf } from '../support/http-request.js'

const Body = z.looseObject({
  model: z.string(),
  messages: z.array(
    z.discriminatedUnion('role', [
      z.looseObject({
        role: z.literal('user'),
        content: z.union([z.string(), z.array(z.looseObject({ type: z.string() }))]),
      }),
    ]),
  ),
})

const routes = createRouteTable([
  defineRoute({
    method: 'POST',
    paths: ['/echo', '/of/{model}/echo'],
    access: 'caller',
    summary: '',
    body: Body,
    pathIntoBody: ['model'],
    handle: ({ body, caller }) => ({ status: 200, headers: {}, body: JSON.stringify({ body, caller: caller.id }) }),
  }),
  defineRoute({
    method: 'GET',
    paths: ['/open'],
    access: 'public',
    summary: '',
    handle: () => ({ status: 200, headers: {}, body: 'open' }),
  }),
  defineRoute({
    method: 'GET',
    paths: ['/admin'],
    access: 'admin',
    summary: '',
    handle: () => ({ status: 200, headers: {}, body: 'admin' }),
  }),
  defineRoute({
    method: 'GET',
    paths: ['/bug'],
    access: 'public',
    summary: '',
    handle: () => {
      throw new TypeError('secret detail')
    },
  }),
])

function dispatcher(own: Partial<DispatchParts> = {}): { dispatch: Dispatch; faults: GatewayError[] } {
  const faults: GatewayError[] = []
  const dispatch = createDispatch({
    routes,
    auth: { identify: () => anyCaller },
    clock: new FakeClock(),
    createId: () => 'abc',
    maxBodyBytes: 100,
    onFault: (error) => faults.push(error),
    ...own,
  })
  return { dispatch, faults }
}

async function ask(
  dispatch: Dispatch,
  ...request: Parameters<typeof requestOf>
): Promise<{ status: number; headers: object; json: unknown }> {
  const response = await dispatch(requestOf(...request))
  if (!response) throw new Error('not dispatched')
  const { status, headers, body } = response as HttpBodyResponse
  const text = String(body)
  return { status, headers, json: text.startsWith('{') ? JSON.parse(text) : text }
}

const valid = { model: 'a', messages: [{ role: 'user', content: 'hi', extra: 1 }], unknown: { deep: [1] } }

describe('createDispatch', () => {
  it('hands the very body on, unknown fields included', async () => {
    const { json } = await ask(dispatcher().dispatch, 'POST', '/echo', valid)
    expect(json).toEqual({ body: valid, caller: 'user-1' })
  })

  it('takes the model from the path where the path names one', async () => {
    const { json } = await ask(dispatcher().dispatch, 'POST', '/of/b/echo', { messages: valid.messages, model: 'a' })
    expect(json).toMatchObject({ body: { model: 'b' } })
  })

  it.each([
    ['a turn after its head where it is about to come, as most are', true],
    ['at once where it is there already, or somebody else reads it', false],
  ])('asks for a body %s', async (_, isArriving) => {
    let turned = false
    setImmediate(() => (turned = true))
    const json = (): Promise<unknown> => Promise.resolve({ ...valid, turned })
    const own = { json, bytes: () => undefined, isArriving }
    const answer = await ask(dispatcher().dispatch, 'POST', '/echo', undefined, own)
    expect(answer.json).toMatchObject({ body: { turned: isArriving } })
  })

  it('leaves unknown paths and preflight requests to the host', () => {
    expect(dispatcher().dispatch(requestOf('GET', '/nope'))).toBeNull()
    expect(dispatcher().dispatch(requestOf('OPTIONS', '/echo'))).toBeNull()
  })

  it('answers 405 with the allowed methods', async () => {
    expect(await ask(dispatcher().dispatch, 'DELETE', '/echo')).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    })
  })

  it('gives every answer a request id, the client’s own where it is a sane one', async () => {
    const { dispatch } = dispatcher()
    const own = { headers: { 'x-request-id': 'trace-1' } }
    const hostile = { headers: { 'x-request-id': 'a b\r\nx: y' } }
    expect(await ask(dispatch, 'GET', '/open')).toMatchObject({ headers: { 'x-request-id': 'req_abc' } })
    expect(await ask(dispatch, 'GET', '/open', undefined, own)).toMatchObject({
      headers: { 'x-request-id': 'trace-1' },
    })
    expect(await ask(dispatch, 'GET', '/open', undefined, hostile)).toMatchObject({
      headers: { 'x-request-id': 'req_abc' },
    })
    expect(await ask(dispatch, 'GET', '/bug')).toMatchObject({ headers: { 'x-request-id': 'req_abc' } })
  })

  it('answers 401 for nobody, and asks nobody on public routes', async () => {
    const { dispatch } = dispatcher({ auth: { identify: () => null } })
    expect(await ask(dispatch, 'POST', '/echo', valid)).toMatchObject({
      status: 401,
      json: { error: { code: 'invalid_api_key' } },
    })
    expect(await ask(dispatch, 'GET', '/open')).toMatchObject({ status: 200 })
  })

  it('answers 403 where a member asks for what is an admin’s', async () => {
    expect(await ask(dispatcher().dispatch, 'GET', '/admin')).toMatchObject({ status: 403 })
    const admin: Auth = { identify: () => ({ ...anyCaller, role: 'admin' }) }
    expect(await ask(dispatcher({ auth: admin }).dispatch, 'GET', '/admin')).toMatchObject({ status: 200 })
  })

  it.each([
    [
      'throws',
      () => {
        throw new Error('db password is hunter2')
      },
    ],
    ['rejects', () => Promise.reject(new Error('db password is hunter2'))],
  ])('answers 500 without the cause when identify %s, and lets nobody in', async (_, identify) => {
    const { status, json } = await ask(dispatcher({ auth: { identify } }).dispatch, 'POST', '/echo', valid)
    expect(status).toBe(500)
    expect(JSON.stringify(json)).not.toContain('hunter2')
  })

  it.each([true, 'admin', { id: 'x' }, { id: 'x', role: 'root', models: 'all', scopes: [] }])(
    'lets nobody in when identify gives %j, and tells the host',
    async (value) => {
      const { dispatch, faults } = dispatcher({ auth: { identify: () => Object(value) } })
      expect(await ask(dispatch, 'POST', '/echo', valid)).toMatchObject({ status: 500 })
      expect(String(faults[0]?.cause)).toContain('identify must give')
    },
  )

  it('answers 503 when identify hangs', async () => {
    const clock = new FakeClock()
    const asking = ask(
      dispatcher({ clock, auth: { identify: () => new Promise(() => undefined) } }).dispatch,
      'POST',
      '/echo',
      valid,
    )
    clock.advance(10_000)
    expect(await asking).toMatchObject({ status: 503 })
  })

  it('answers 408 when a body does not arrive', async () => {
    const clock = new FakeClock()
    const asking = ask(dispatcher({ clock }).dispatch, 'POST', '/echo', undefined, {
      json: () => new Promise(() => {}),
    })
    await vi.waitFor(() => expect(clock.pending).toBe(1))
    clock.advance(240_000)
    expect(await asking).toMatchObject({ status: 408 })
    expect(clock.pending).toBe(0)
  })

  it('tells a route once of what came to nothing, with what was read of it', async () => {
    const refused = vi.fn()
    const handle = vi.fn<() => never>(() => {
      throw new GatewayError('permission', 'Not you.')
    })
    const route = { method: 'POST', paths: ['/told/{model}'], access: 'caller', summary: '', body: Body } as const
    const table = createRouteTable([defineRoute({ ...route, pathIntoBody: ['model'], handle, refused })])
    const identify = vi.fn().mockReturnValueOnce(null).mockReturnValue(anyCaller)
    const { dispatch } = dispatcher({ routes: table, auth: { identify } })
    const told = async (body: unknown): Promise<unknown> => {
      await ask(dispatch, 'POST', '/told/m', body)
      return refused.mock.lastCall?.[0]
    }
    expect(await told(valid)).toMatchObject({ caller: undefined, body: undefined, error: { status: 401 } })
    expect(await told({ messages: 5 })).toMatchObject({
      caller: { id: anyCaller.id },
      body: { model: 'm', messages: 5 },
      error: { status: 400 },
    })
    expect(handle).not.toHaveBeenCalled()
    expect(await told(valid)).toMatchObject({ error: { status: 403 } })
    expect(refused).toHaveBeenCalledTimes(3)
    expect(await ask(dispatch, 'DELETE', '/told/m')).toMatchObject({ status: 405 })
    expect(refused).toHaveBeenCalledTimes(3)
  })

  it('answers 500 without detail when a handler has a bug, and tells the host', async () => {
    const { dispatch, faults } = dispatcher()
    const { status, json } = await ask(dispatch, 'GET', '/bug')
    expect(status).toBe(500)
    expect(JSON.stringify(json)).not.toContain('secret detail')
    expect(faults.map((fault) => String(fault.cause))).toEqual(['TypeError: secret detail'])
  })

  it.each([
    ['no object', [1], null],
    ['a missing field', { messages: [] }, 'model'],
    ['a wrong type', { ...valid, model: 5 }, 'model'],
    [
      'a wrong type deep inside',
      { ...valid, messages: [{ role: 'user', content: [{ type: 7 }] }] },
      'messages[0].content[0].type',
    ],
    ['none of the forms of a union', { ...valid, messages: [{ role: 'user', content: 7 }] }, 'messages[0].content'],
    ['an unknown role', { ...valid, messages: [{ role: 'robot' }] }, 'messages[0].role'],
  ])('names the field for %s', async (_, body, param) => {
    const { status, json } = await ask(dispatcher().dispatch, 'POST', '/echo', body)
    expect({ status, json }).toMatchObject({ status: 400, json: { error: { type: 'invalid_request_error', param } } })
  })
})
