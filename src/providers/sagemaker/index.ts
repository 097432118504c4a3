import type { Protocol } from '../../protocols/protocol.js'
import { authorizeAws } from '../aws/authorize-aws.js'
import { awsAddress, awsRegion } from '../aws/region.js'
import { awsSettings } from '../aws/settings.js'
import { withoutEnding } from '../base-url.js'
import type { Provider } from '../provider.js'
import { messagesApiProtocol, novaProtocol } from './messages-api.js'
import { textGenerationProtocol } from './text-generation.js'

const region: Parameters<typeof authorizeAws>[0]['region'] = (deployment) => awsRegion(deployment, undefined)

function createSageMaker(name: string, displayName: string, protocol: Protocol): Provider {
  const { completions, embeddings } = protocol.codecs
  return {
    name,
    displayName,
    aliases: [],
    protocol,
    baseUrl: (deployment) => awsAddress('runtime.sagemaker', region(deployment)),
    baseUrlEnv: ['SAGEMAKER_BASE_URL'],
    apiKeyEnv: [],
    apiKeyRequired: false,
    capabilities: {
      chat: true,
      stream: true,
      completions: completions !== undefined,
      embeddings: embeddings !== undefined,
      images: false,
    },
    status: 'active',
    notice: undefined,
    completeBaseUrl: (url) => withoutEnding(url, ['/endpoints']),
    settings: {
      ...awsSettings,
      /** One of several models of an endpoint. */
      inferenceComponent: { env: [] },
      /** The model that is served, by its name at Hugging Face: it decides about the template of prompts. */
      hfModelName: { env: [] },
    },
    authorize: authorizeAws({ service: 'sagemaker', region }),
  }
}

/** Endpoints of AWS SageMaker, by what their containers speak. */
export function createSageMakerProviders(): readonly Provider[] {
  return [
    createSageMaker('sagemaker', 'AWS SageMaker', textGenerationProtocol),
    createSageMaker('sagemaker_chat', 'AWS SageMaker (Messages API)', messagesApiProtocol),
    createSageMaker('sagemaker_nova', 'AWS SageMaker (Nova)', novaProtocol),
  ]
}
