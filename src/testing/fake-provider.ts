import { defineProvider } from '../providers/define-provider.js'
import type { Provider } from '../providers/provider.js'

/** How a fake provider differs from the standard one. */
export interface FakeProviderOptions {
  /** @default 'fake' */
  readonly name?: string
  /** The dialect that is spoken to the fake upstream. @default 'openai' */
  readonly protocol?: 'openai' | 'anthropic' | 'gemini'
}

/**
 * The provider `fake`, which is a fake upstream: `fake/demo` answers, `fake/cut-10` breaks off (see `faults`).
 *
 *     const upstream = await startFakeUpstream()
 *     createGateway({ providers: [fakeProvider(upstream.url)], models: [{ modelName: '*', model: 'fake/*' }], auth })
 */
export function fakeProvider(url: string, options: FakeProviderOptions = {}): Provider {
  const { name = 'fake', protocol = 'openai' } = options
  return defineProvider({ name, displayName: 'Fake', protocol, baseUrl: protocol === 'openai' ? `${url}/v1` : url })
}
