import type { SettingRule } from '../provider.js'

/**
 * What a deployment at AWS may set. The entries in capitals are the environment's own keys: they never mix with those
 * that a deployment gives.
 */
export const awsSettings: Readonly<Record<string, SettingRule>> = {
  region: { env: ['AWS_REGION_NAME', 'AWS_REGION', 'AWS_DEFAULT_REGION'] },
  accessKeyId: { env: [], secret: true },
  secretAccessKey: { env: [], secret: true },
  sessionToken: { env: [], secret: true },
  /**
   * `() => Promise<{ accessKeyId, secretAccessKey, sessionToken?, expiration? }>`, as AWS's libraries make them, or
   * 'chain' for what the machine itself is allowed to do (needs @aws-sdk/credential-provider-node).
   */
  credentials: { env: [] },
  /** Of AWS's configuration files; needs @aws-sdk/credential-provider-node. */
  profile: { env: [] },
  /** A role that is taken on with the keys found otherwise. */
  roleArn: { env: ['AWS_ROLE_NAME'] },
  roleSessionName: { env: ['AWS_SESSION_NAME'] },
  externalId: { env: ['AWS_EXTERNAL_ID'] },
  webIdentityToken: { env: ['AWS_WEB_IDENTITY_TOKEN'], secret: true },
  stsEndpoint: { env: ['AWS_STS_ENDPOINT'] },
  AWS_ACCESS_KEY_ID: { env: ['AWS_ACCESS_KEY_ID'], secret: true },
  AWS_SECRET_ACCESS_KEY: { env: ['AWS_SECRET_ACCESS_KEY'], secret: true },
  AWS_SESSION_TOKEN: { env: ['AWS_SESSION_TOKEN'], secret: true },
  // Set where a container or pod has an identity of its own.
  AWS_IDENTITY: {
    env: [
      'AWS_WEB_IDENTITY_TOKEN_FILE',
      'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI',
      'AWS_CONTAINER_CREDENTIALS_FULL_URI',
    ],
  },
  AWS_PROFILE: { env: ['AWS_PROFILE_NAME', 'AWS_PROFILE'] },
}
