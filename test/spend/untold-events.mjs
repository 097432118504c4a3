// A gateway that prices a row again and answers a call, whose host's billing takes neither: whoever calls this ends it then.

/** Resolves with the ids that the billing was told, once the events are in the ledger. */
export async function leaveUntold({ createGateway, fakeProvider }, { ledger, upstream, unpriced }) {
  await ledger.append([unpriced])
  let hear
  const heard = new Promise((resolve) => (hear = resolve))
  const gateway = createGateway({
    models: [{ modelName: 'main', model: 'fake/main', id: 'main', prices: { input: 1, output: 2 } }],
    providers: [fakeProvider(upstream)],
    auth: 'none',
    stores: { ledger },
    spend: {
      onUsage(events) {
        hear(events.map(({ id }) => id))
        return new Promise(() => {})
      },
    },
  })
  await gateway.spend.reprice()
  const told = await heard
  const caller = { id: 'user-1', role: 'member', models: 'all', scopes: [] }
  const ask = { model: 'main', max_tokens: 20, messages: [{ role: 'user', content: 'Hello there, gateway' }] }
  await gateway.call('chat', ask, caller)
  await gateway.spend.flush()
  return told
}
