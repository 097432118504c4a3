import type { LoadPackage } from '../../upstream/aws-credentials.js'
import { authorizeAws } from '../aws/authorize-aws.js'
import { awsAddress, awsRegion } from '../aws/region.js'
import { awsSettings } from '../aws/settings.js'
import { withoutEnding } from '../base-url.js'
import type { Provider } from '../provider.js'
import { readBedrockModel } from './model-id.js'
import { bedrockProtocol } from './protocol.js'

/** AWS Bedrock; `load` gets the optional package of AWS's own chain of credentials. */
export function createBedrock(load?: LoadPackage): Provider {
  const region: Parameters<typeof authorizeAws>[0]['region'] = (deployment) =>
    awsRegion(deployment, readBedrockModel(deployment).region)
  return {
    name: 'bedrock',
    displayName: 'AWS Bedrock',
    aliases: ['bedrock_converse'],
    protocol: bedrockProtocol,
    baseUrl: (deployment) => awsAddress('bedrock-runtime', region(deployment)),
    baseUrlEnv: ['AWS_BEDROCK_RUNTIME_ENDPOINT'],
    apiKeyEnv: ['AWS_BEARER_TOKEN_BEDROCK'],
    apiKeyRequired: false,
    capabilities: { chat: true, stream: true, completions: true, embeddings: true, images: true },
    status: 'active',
    notice: undefined,
    completeBaseUrl: (url) => withoutEnding(url, ['/model']),
    settings: awsSettings,
    authorize: authorizeAws({ service: 'bedrock', region }, load),
  }
}
