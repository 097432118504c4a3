import { describe, expect, it } from 'vitest'
import { askCredential, loadDefaultCredential } from '../../src/upstream/azure-library.js'

class DefaultAzureCredential {
  getToken(scope: string) {
    return Promise.resolve({ token: `for ${scope}`, expiresOnTimestamp: 5 })
  }
}

describe('@azure/identity', () => {
  it('gives a token through its default credential', async () => {
    const credential = await loadDefaultCredential(() => Promise.resolve({ DefaultAzureCredential }))
    expect(await askCredential(credential, 's')).toEqual({ token: 'for s', expiresAt: 5 })
  })

  it('is named where it is not installed, or has changed', async () => {
    const missing = loadDefaultCredential(() => Promise.reject(new Error('not found')))
    await expect(missing).rejects.toThrow(/npm install @azure\/identity/)
    await expect(loadDefaultCredential(() => Promise.resolve({}))).rejects.toThrow(/DefaultAzureCredential/)
  })

  it('that gives no token is an authentication error', async () => {
    const failing = { getToken: () => Promise.reject(new Error('no identity')) }
    await expect(askCredential(failing, 's')).rejects.toMatchObject({ kind: 'upstream_authentication' })
    const empty = { getToken: () => Promise.resolve(null) }
    await expect(askCredential(empty, 's')).rejects.toMatchObject({ kind: 'upstream_authentication' })
  })
})
