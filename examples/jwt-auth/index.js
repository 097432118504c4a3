// The host's identity provider decides who calls: the claims of a JWT become a caller with budgets.
// Run: OPENAI_API_KEY=sk-... JWKS_URL=https://login.example.com/jwks JWT_ISSUER=https://login.example.com node examples/jwt-auth/index.js
import express from 'express'
import { createRemoteJWKSet, errors, jwtVerify } from 'jose'
import { createGateway } from 'sluice'
import { expressGateway } from 'sluice/express'

const keys = createRemoteJWKSet(new URL(process.env.JWKS_URL))
const checks = { issuer: process.env.JWT_ISSUER, audience: 'llm', requiredClaims: ['sub', 'org', 'exp'] }

// What each plan may spend and use; an unknown one is the cheapest.
const plans = new Map([
  ['free', { models: ['fast'], budget: { maxBudget: 1, budgetDuration: '1d' }, rpm: 20 }],
  ['pro', { models: ['fast', 'smart'], budget: { maxBudget: 100, budgetDuration: '1mo' }, rpm: 600 }],
])

async function claimsOf(authorization) {
  const token = /^Bearer (.+)$/.exec(authorization ?? '')?.[1]
  if (!token) return null
  try {
    return (await jwtVerify(token, keys, checks)).payload
  } catch (error) {
    // A wrong token is a 401; a key server that does not answer is not the caller's fault.
    const isWrong = error instanceof errors.JOSEError && /^ERR_(JWT|JWS|JWKS_NO_MATCHING|JOSE_ALG)/.test(error.code)
    if (isWrong) return null
    throw error
  }
}

const gateway = createGateway({
  models: [
    { modelName: 'fast', model: 'openai/gpt-5-mini', apiKey: process.env.OPENAI_API_KEY },
    { modelName: 'smart', model: 'openai/gpt-5', apiKey: process.env.OPENAI_API_KEY },
  ],
  auth: {
    async identify(request) {
      const claims = await claimsOf(request.headers.authorization)
      if (!claims) return null
      const { models, budget, rpm } = plans.get(claims.plan) ?? plans.get('free')
      const scopes = [
        { kind: 'organization', id: claims.org, budget: { maxBudget: 1_000, budgetDuration: '1mo' } },
        { kind: 'user', id: claims.sub, budget, rpm },
      ]
      return { id: claims.sub, role: 'member', models, scopes }
    },
  },
})

const app = express()
app.use('/llm', expressGateway(gateway))

const server = app.listen(Number(process.env.PORT ?? 3000), '127.0.0.1', () => {
  console.log(`listening on http://127.0.0.1:${server.address().port}`)
})
