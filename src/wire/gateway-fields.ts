// Fields of a request body that steer a gateway and mean nothing to a provider. The credentials and addresses among
// them never have an effect when a client sends them: the deployment alone decides where a call goes and who pays.
// Source: LiteLLM's request fields (docs/completion/input, docs/proxy/user_keys).
const gatewayFields: ReadonlySet<string> = new Set([
  'additional_drop_params',
  'allowed_openai_params',
  'api_base',
  'api_key',
  'api_version',
  'base_model',
  'base_url',
  'cache',
  'cache_control_injection_points',
  'caching',
  'content_policy_fallbacks',
  'context_window_fallbacks',
  'custom_llm_provider',
  'default_headers',
  'deployment_id',
  'disable_fallbacks',
  'disable_global_guardrails',
  'drop_params',
  'explain',
  'extra_body',
  'extra_headers',
  'extra_query',
  'fallbacks',
  'guardrail_config',
  'guardrails',
  'headers',
  'max_retries',
  'mock_delay',
  'mock_response',
  'mock_timeout',
  'mock_tool_calls',
  'model_info',
  'modify_params',
  'no-log',
  'num_retries',
  'organization',
  'prompt_id',
  'prompt_label',
  'prompt_variables',
  'prompt_version',
  'request_timeout',
  'session_id',
  'stream_timeout',
  'tags',
  'timeout',
  'user_config',
])

const gatewayPrefixes = ['litellm_', 'sluice_', 'x-sluice', 'x-litellm', 'mock_testing_']

/** True for a body field that is meant for the gateway and must not reach a provider. */
export function isGatewayField(name: string): boolean {
  if (gatewayFields.has(name)) return true
  for (const prefix of gatewayPrefixes) if (name.startsWith(prefix)) return true
  return false
}
