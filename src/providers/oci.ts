import type { Deployment } from '../deployment.js'
import { GatewayError } from '../errors.js'
import { ociProtocol } from '../protocols/oci/index.js'
import type { UpstreamRequest } from '../upstream/message.js'
import { signOci } from '../upstream/oci-signature.js'
import { withDeploymentHeaders } from './authorize.js'
import { withoutEnding } from './base-url.js'
import type { AuthorizeContext, Provider } from './provider.js'
import { settingOf } from './settings.js'

const defaultRegion = 'us-chicago-1'
const credentials = ['tenancy', 'user', 'fingerprint', 'key'] as const

function authorize(
  request: UpstreamRequest,
  deployment: Deployment,
  { clock, url }: AuthorizeContext,
): UpstreamRequest {
  const prepared = withDeploymentHeaders(request, deployment)
  const missing = credentials.filter((name) => settingOf(deployment, name) === undefined)
  if (missing.length > 0) {
    const names = missing.map((name) => `settings.${name}`).join(', ')
    throw new GatewayError('upstream_authentication', `The deployment has no credential for Oracle OCI: set ${names}.`)
  }
  const [tenancy = '', user = '', fingerprint = '', privateKey = ''] = credentials.map((name) =>
    settingOf(deployment, name),
  )
  return signOci(prepared, url, { tenancy, user, fingerprint, privateKey }, clock.now())
}

/** Oracle's Generative AI service; requests are signed with an API key of a user. */
export const oci: Provider = {
  name: 'oci',
  displayName: 'Oracle OCI Generative AI',
  aliases: [],
  protocol: ociProtocol,
  baseUrl: (deployment) => {
    const region = settingOf(deployment, 'region') ?? defaultRegion
    return `https://inference.generativeai.${encodeURIComponent(region)}.oci.oraclecloud.com`
  },
  baseUrlEnv: ['OCI_API_BASE'],
  apiKeyEnv: [],
  apiKeyRequired: false,
  capabilities: { chat: true, stream: true, completions: false, embeddings: true, images: false },
  status: 'active',
  notice: undefined,
  settings: {
    region: { env: ['OCI_REGION'] },
    user: { env: ['OCI_USER'] },
    fingerprint: { env: ['OCI_FINGERPRINT'] },
    tenancy: { env: ['OCI_TENANCY'] },
    /** PEM of the private key. */
    key: { env: ['OCI_KEY'], secret: true },
    compartmentId: { env: ['OCI_COMPARTMENT_ID'] },
    /** A dedicated endpoint in place of the model on demand. */
    endpointId: { env: ['OCI_ENDPOINT_ID'] },
    /** `GENERIC` or `COHERE`, where the model's name does not tell. */
    apiFormat: { env: [] },
  },
  completeBaseUrl: (url) => withoutEnding(url, ['/20231130/actions/chat', '/20231130']),
  authorize,
}
