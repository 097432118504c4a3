// The host's own login decides who calls: an express-session user becomes a caller with a list of models.
// Run: OPENAI_API_KEY=sk-... node examples/own-auth/index.js
import { randomBytes } from 'node:crypto'
import express from 'express'
import session from 'express-session'
import { createGateway } from 'sluice'
import { expressGateway } from 'sluice/express'

// Stands for the host's user table.
const users = new Map([
  ['ada', { password: 'lovelace', plan: 'pro' }],
  ['bob', { password: 'builder', plan: 'free' }],
])
const modelsOfPlan = { free: ['fast'], pro: ['fast', 'smart'] }

const gateway = createGateway({
  models: [
    { modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: process.env.OPENAI_API_KEY },
    { modelName: 'smart', model: 'openai/gpt-5', apiKey: process.env.OPENAI_API_KEY },
  ],
  auth: {
    // `request.host` is Express's own request, so everything that earlier middleware put there is at hand.
    identify: (request) => {
      const name = request.host.session?.user
      const user = users.get(name)
      if (!user) return null
      return { id: name, role: 'member', models: modelsOfPlan[user.plan], scopes: [{ kind: 'user', id: name }] }
    },
  },
})

const app = express()
app.use(session({ secret: randomBytes(32).toString('hex'), resave: false, saveUninitialized: false }))
app.post('/login', express.json(), (request, response) => {
  const { name, password } = request.body ?? {}
  if (users.get(name)?.password !== password) return response.status(401).end()
  request.session.user = name
  response.json({ name })
})
app.use('/llm', expressGateway(gateway))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
