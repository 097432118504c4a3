import type { JsonObject } from '../wire/json.js'

/** LiteLLM's name of a provider's setting → ours (`settings` of a model); the provider decides whether it knows it. */
export const settingNames: Readonly<Record<string, string>> = {
  aws_access_key_id: 'accessKeyId',
  aws_secret_access_key: 'secretAccessKey',
  aws_session_token: 'sessionToken',
  aws_region_name: 'region',
  aws_profile_name: 'profile',
  aws_role_name: 'roleArn',
  aws_session_name: 'roleSessionName',
  aws_external_id: 'externalId',
  aws_web_identity_token: 'webIdentityToken',
  aws_sts_endpoint: 'stsEndpoint',
  vertex_project: 'project',
  vertex_ai_project: 'project',
  vertex_location: 'location',
  vertex_ai_location: 'location',
  vertex_credentials: 'credentials',
  vertex_ai_credentials: 'credentials',
  azure_ad_token: 'azureAdToken',
  azure_username: 'username',
  azure_password: 'password',
  azure_scope: 'scope',
  tenant_id: 'tenantId',
  client_id: 'clientId',
  client_secret: 'clientSecret',
  watsonx_project_id: 'projectId',
  project_id: 'projectId',
  watsonx_space_id: 'spaceId',
  space_id: 'spaceId',
  watsonx_token: 'token',
  watsonx_zenapikey: 'zenApiKey',
  oci_region: 'region',
  oci_user: 'user',
  oci_fingerprint: 'fingerprint',
  oci_tenancy: 'tenancy',
  oci_key: 'key',
  oci_compartment_id: 'compartmentId',
  oci_endpoint_id: 'endpointId',
}

/** The settings among a deployment's parameters; undefined where there are none. */
export function toSettings(params: JsonObject): JsonObject | undefined {
  const named = Object.entries(params).flatMap(([key, value]) => {
    const name = Object.hasOwn(settingNames, key) ? settingNames[key] : undefined
    return name === undefined || value === undefined ? [] : [[name, value] as const]
  })
  return named.length === 0 ? undefined : Object.fromEntries(named)
}
