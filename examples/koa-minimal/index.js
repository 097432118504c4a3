// Koa, without a router: POST http://127.0.0.1:3000/llm/v1/chat/completions
// Run: OPENAI_API_KEY=sk-... node examples/koa-minimal/index.js
import Koa from 'koa'
import { createGateway } from 'sluice'
import { koaGateway } from 'sluice/koa'

const gateway = createGateway({
  models: [{ modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: process.env.OPENAI_API_KEY }],
  auth: 'none',
})

const app = new Koa()
app.use(koaGateway(gateway, { path: '/llm' }))
app.use((context) => {
  context.body = 'the host’s own page'
})

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
