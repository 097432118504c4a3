// A provider of your own: anything that speaks OpenAI's dialect is one `defineProvider`, its differences are data.
// Run: ACME_BASE_URL=http://127.0.0.1:8000/v1 ACME_API_KEY=... node examples/custom-provider/index.js
import { createServer } from 'node:http'
import { createGateway, defineProvider } from 'sluice'
import { nodeGateway } from 'sluice/node'

const acme = defineProvider({
  name: 'acme',
  displayName: 'Acme Inference',
  baseUrl: process.env.ACME_BASE_URL ?? 'https://llm.acme.example/v1',
  apiKeyEnv: ['ACME_API_KEY'],
  headers: { 'x-acme-client': 'sluice' },
  quirks: { rename: { max_completion_tokens: 'max_tokens' }, unsupported: ['logit_bias'] },
})

const gateway = createGateway({
  providers: [acme],
  models: [{ modelName: 'acme/*', model: 'acme/*' }],
  auth: 'none',
})

const server = createServer(nodeGateway(gateway)).listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
