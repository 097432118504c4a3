import { vi } from 'vitest'
import { exampleKey } from '../../src/endpoints/management/shapes.js'
import type { ApiClient } from './api-client.js'

/** One documented example: its operation, by the first path, its name, and a key in place of the master key. */
export type Step = readonly [operation: string, example: string, key?: string]

/**
 * What makes the records that the documentation's examples speak of, in an order that works. Before an example is sent,
 * all of it is told to a new gateway, or the part of it before the example, where that is in it.
 */
export const story: readonly Step[] = [
  ['POST /organization/new', 'one'],
  ['POST /budget/new', 'one'],
  ['POST /tag/new', 'one'],
  ['POST /customer/new', 'one'],
  ['POST /user/new', 'user'],
  ['POST /team/new', 'team'],
  ['POST /team/member_add', 'one'],
  ['POST /organization/member_add', 'one'],
  ['POST /key/generate', 'owned'],
  ['POST /model/new', 'one'],
  ['POST /v1/chat/completions', 'whole', exampleKey],
]

/** Path parameters that only a running gateway knows. */
export const learnt: Readonly<Record<string, (client: ApiClient) => Promise<Readonly<Record<string, string>>>>> = {
  'GET /calls': async (client) => {
    await latestCall(client)
    return {}
  },
  'GET /calls/{id}': async (client) => ({ id: await latestCall(client) }),
  'GET /audit/{id}': async (client) => {
    const { body } = await client.send('GET', '/audit')
    const [first] = (body as { readonly audit_logs: readonly { readonly id: string }[] }).audit_logs
    return { id: first?.id ?? '' }
  },
}

/** The id of the call that the story made, which is logged a moment after it ended. */
async function latestCall(client: ApiClient): Promise<string> {
  const list = async () => (await client.send('GET', '/calls')).body as { readonly data: readonly { id: string }[] }
  return vi.waitFor(async () => {
    const [call] = (await list()).data
    if (!call) throw new Error('The call was not logged.')
    return call.id
  }, 5_000)
}
