import { alephAlpha } from './aleph-alpha.js'
import { blackForestLabs } from './black-forest-labs.js'
import { cloudflare } from './cloudflare/index.js'
import { fal } from './fal.js'
import { jina } from './jina.js'
import { nlpCloud } from './nlp-cloud.js'
import { oci } from './oci.js'
import { petals } from './petals.js'
import { predibase } from './predibase.js'
import type { Provider } from './provider.js'
import { recraft } from './recraft.js'
import { replicate } from './replicate.js'
import { stability } from './stability.js'
import { voyage } from './voyage.js'
import { watsonx, watsonxText } from './watsonx.js'

/** Providers with a dialect of their own that no other one shares, and the houses of images and embeddings. */
export const furtherProviders: readonly Provider[] = [
  watsonx,
  watsonxText,
  cloudflare,
  replicate,
  oci,
  nlpCloud,
  alephAlpha,
  petals,
  predibase,
  voyage,
  jina,
  stability,
  recraft,
  blackForestLabs,
  fal,
]
