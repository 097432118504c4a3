// OpenAI's SDK through the gateway without a socket: routing, fail-over and translation for code in the same process.
// Run: OPENAI_API_KEY=sk-... node examples/in-process-sdk/index.js
import OpenAI from 'openai'
import { createGateway } from 'sluice'
import { gatewayFetch } from 'sluice/fetch'

const gateway = createGateway({
  models: [{ modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: process.env.OPENAI_API_KEY }],
  auth: 'none',
})
const caller = { id: 'nightly-report', role: 'member', models: 'all', scopes: [] }

const client = new OpenAI({ apiKey: 'unused', baseURL: 'http://sluice/v1', fetch: gatewayFetch(gateway, caller) })

const stream = await client.chat.completions.create({
  model: 'fast',
  messages: [{ role: 'user', content: 'Say hello in one sentence.' }],
  stream: true,
})
for await (const chunk of stream) process.stdout.write(chunk.choices[0]?.delta.content ?? '')
process.stdout.write('\n')

// The same without any SDK:
const answer = await gateway.call(
  'chat',
  { model: 'fast', messages: [{ role: 'user', content: 'And again.' }] },
  caller,
)
console.log(answer.choices[0]?.message.content)

await gateway.close()
