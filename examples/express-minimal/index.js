// One line mounts the gateway: POST http://127.0.0.1:3000/llm/v1/chat/completions
// Run: OPENAI_API_KEY=sk-... node examples/express-minimal/index.js
import express from 'express'
import { createGateway } from 'sluice'
import { expressGateway } from 'sluice/express'

const gateway = createGateway({
  models: [{ modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: process.env.OPENAI_API_KEY }],
  // Everybody who reaches this port may call. See ../own-auth for a login.
  auth: 'none',
})

const app = express()
app.use('/llm', expressGateway(gateway))
app.get('/', (_request, response) => response.send('the host’s own page'))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
