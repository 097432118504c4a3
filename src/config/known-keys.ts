// The words of LiteLLM's config.yaml. What is not listed here is a misspelling, and is refused with its path.

/** What a section of the file may hold. */
export interface SectionKeys {
  /** Keys that have an effect here. */
  readonly supported: readonly string[]
  /** Keys that LiteLLM knows and that have no effect here yet; each is warned about. */
  readonly known: readonly string[]
}

const list = (words: string): readonly string[] => words.trim().split(/\s+/)

/** The top level of the file. */
export const fileKeys: SectionKeys = {
  supported: list('model_list litellm_settings general_settings router_settings environment_variables guardrails'),
  known: list(`
    assistant_settings callback_settings credential_list files_settings finetune_settings include mcp_servers
    mcp_tools policies policy_attachments prompts search_tools vector_store_registry worker_config`),
}

/** One entry of `model_list`. */
export const entryKeys: SectionKeys = { supported: list('model_name litellm_params model_info'), known: [] }

/**
 * `litellm_params`: where and how a deployment is called. Every key that is in neither list is a request parameter
 * (temperature, top_k ...), except those of `deploymentPatterns`.
 */
export const deploymentKeys: SectionKeys = {
  supported: list(`
    api_base api_key api_version base_url cooldown_time custom_llm_provider drop_params extra_body extra_headers
    first_token_timeout headers headers_timeout max_parallel_requests model order organization region_name rpm
    stream_idle_timeout stream_timeout tags timeout tpm weight`),
  known: list(`
    additional_drop_params allowed_openai_params budget_duration cache_control_injection_points client_id client_secret
    configurable_clientside_auth_params default_api_key_rpm_limit default_api_key_tpm_limit
    fallbacks force_timeout guardrails hf_model_name itpm litellm_credential_name litellm_trace_id max_budget
    max_file_size_mb max_retries merge_reasoning_content_in_choices metadata mock_response mock_timeout model_config
    model_info num_retries otpm s3_bucket_name s3_encryption_key_id gcs_bucket_name silent_model ssl_verify
    supports_system_message tag_regex tenant_id token_url use_chat_completions_api use_in_pass_through
    use_litellm_proxy`),
}

/** Families of `litellm_params` that LiteLLM knows: credentials of clouds, routers. They never reach a provider's body. */
export const deploymentPatterns: readonly RegExp[] = [
  /^(aws|azure|vertex|watsonx|auto_router|complexity_router|oci|sagemaker)_/,
]

/** `model_info`: free data, of which these keys change how requests are written. */
export const modelInfoKeys: SectionKeys = {
  supported: list(`
    id max_input_tokens max_output_tokens max_tokens supports_assistant_prefill supports_function_calling
    supports_reasoning supports_response_schema supports_vision`),
  known: list(`
    access_groups base_model disable_background_health_check health_check_max_tokens health_check_model
    health_check_timeout supported_environments team_id team_public_model_name tier`),
}

/** `litellm_settings`. */
export const litellmSettingsKeys: SectionKeys = {
  supported: list(`
    allowed_fails budget_duration cache cache_params callbacks content_policy_fallbacks context_window_fallbacks
    default_fallbacks default_in_memory_ttl default_redis_ttl drop_params dynamodb_table_name failure_callback
    fallbacks global_prompt_directory max_budget num_retries request_timeout s3_callback_params success_callback turn_off_message_logging`),
  known: list(`
    add_function_to_prompt api_base api_key audit_log_callbacks cost_discount_config cost_margin_config
    custom_prometheus_metadata_labels custom_prometheus_tags custom_provider_map datadog_llm_observability_params
    datadog_params default_end_user_budget_id default_internal_user_params
    default_key_generate_params default_max_internal_user_budget default_redis_batch_cache_expiry
    default_team_params default_team_settings default_user_params disable_add_transform_inline_image_block
    disable_copilot_system_to_assistant disable_end_user_cost_tracking disable_end_user_cost_tracking_prometheus_only
    disable_hf_tokenizer_download disable_stop_sequence_limit disable_token_counter
    enable_caching_on_provider_specific_optional_params enable_end_user_cost_tracking_prometheus_only
    enable_json_schema_validation enable_key_alias_format_validation enable_loadbalancing_on_batch_endpoints
    enable_preview_features enable_redis_auth_cache extra_spend_tag_headers force_ipv4
    forward_traceparent_to_llm_provider generic_logger_headers guardrails ignore_invalid_deployments
    include_cost_in_streaming_usage input_callback internal_user_budget_duration json_logs key_generation_settings
    langfuse_default_tags langsmith_batch_size litellm_key_alias log_raw_request_response logging
    max_end_user_budget max_end_user_budget_id max_internal_user_budget max_ui_session_budget max_user_budget
    mcp_aliases mcp_semantic_tool_filter model_alias_map model_group_settings model_fallbacks modify_params
    network_mock openai_key organization post_call_rules pre_call_rules presidio_ad_hoc_recognizers
    priority_reservation priority_reservation_settings prometheus_initialize_budget_metrics prometheus_metrics_config
    public_agent_groups public_mcp_hub_enabled public_model_groups public_model_groups_links
    redact_messages_in_exceptions redact_user_api_key_info responses_api retry
    route_all_chat_openai_to_responses service_callbacks service_callback set_verbose
    skip_system_message_in_guardrail ssl_certificate ssl_security_level ssl_verify store_audit_logs
    suppress_debug_info tag_budget_config team_config telemetry timezone
    upperbound_key_generate_params use_aiohttp_transport
    use_chat_completions_url_for_anthropic_messages use_client user_url_allowed_hosts user_url_validation
    vector_store_registry verbose`),
}

/** `general_settings`. */
export const generalSettingsKeys: SectionKeys = {
  supported: list(`
    alert_types alerting alerting_threshold background_health_checks custom_auth custom_auth_run_common_checks custom_auth_settings database_connection_pool_limit
    database_connection_timeout database_url health_check_interval master_key maximum_spend_logs_retention_period`),
  known: list(`
    admin_only_routes alert_to_webhook_url alert_type_config alerting_args
    allow_client_side_credentials allow_requests_on_db_unavailable allow_user_auth allowed_ips allowed_routes
    always_include_stream_usage block_robots cancel_on_disconnect completion_model
    control_plane_url coordination_redis
    custom_key_generate custom_key_update custom_sso custom_ui_sso_sign_in_handler database_args
    database_connection_pool_timeout database_type default_team_disabled disable_adding_master_key_hash_to_db
    disable_error_logs disable_master_key_return disable_prisma_schema_update disable_reset_budget
    disable_responses_id_security disable_retry_on_max_parallel_request_limit_error disable_spend_logs
    disable_spend_updates embedding_model enable_drain_endpoint enable_health_check_routing enable_jwt_auth
    enable_oauth2_auth enable_oauth2_proxy_auth enable_public_model_hub enforce_rbac enforce_user_param
    enforced_file_expires_after enforced_batch_output_expires_after enforced_params fail_closed_budget_enforcement
    forward_client_headers_to_llm_api forward_llm_provider_auth_headers forward_openai_org_id
    global_max_parallel_requests health_check_concurrency health_check_details health_check_ignore_transient_errors
    health_check_staleness_threshold image_generation_model infer_model_from_keys
    key_management_settings key_management_system litellm_jwtauth litellm_key_header_name log_failure_exceptions
    max_parallel_requests max_request_size_mb max_response_size_mb maximum_spend_logs_cleanup_cron
    maximum_spend_logs_retention_interval mcp_client_side_auth_header_name
    mcp_internal_ip_ranges mcp_trusted_proxy_ranges moderation_model oauth2_config_mappings otel
    pass_through_endpoints pass_through_request_timeout passthrough_managed_object_ids plugins
    proxy_batch_polling_interval proxy_batch_write_at proxy_budget_rescheduler_max_time
    proxy_budget_rescheduler_min_time public_routes redis_transaction_buffer reject_clientside_metadata_tags
    require_managed_files role_permissions search_tools service_account_settings spend_report_frequency
    store_model_in_db store_prompts_in_spend_logs supported_db_objects token_rate_limit_type ui_access_mode
    use_azure_key_vault use_client_credentials_pass_through_routes use_google_kms use_redis_transaction_buffer
    use_shared_health_check use_x_forwarded_for user_api_key_cache_ttl user_header_mappings user_header_name
    user_mcp_management_mode virtual_key_event_handlers`),
}

/** `router_settings`. */
export const routerSettingsKeys: SectionKeys = {
  supported: list(`
    allowed_fails allowed_fails_policy content_policy_fallbacks context_window_fallbacks cooldown_time
    default_fallbacks disable_cooldowns enable_pre_call_checks enable_tag_filtering fallbacks
    first_token_timeout headers_timeout max_fallbacks mid_stream model_group_alias num_retries redis_db
    redis_host redis_password redis_port redis_url redis_username retry_after retry_policy routing_strategy
    routing_strategy_args
    stream_idle_timeout stream_timeout tag_filtering_match_any timeout ttft_timeout`),
  known: list(`
    alerting_config assistants_config cache_kwargs cache_responses caching_groups client_ttl debug_level
    default_litellm_params default_max_parallel_requests default_priority deployment_affinity_ttl_seconds
    enable_health_check_routing enable_weighted_failover guardrail_list health_check_ignore_transient_errors
    health_check_staleness_threshold ignore_invalid_deployments max_retries model_group_affinity_config
    model_group_retry_policy optional_pre_call_checks plugins polling_interval provider_budget_config
    router_general_settings routing_groups search_tools set_verbose`),
}

/** `litellm_settings.cache_params`. */
export const cacheParamsKeys: SectionKeys = {
  supported: list(`
    db default_in_memory_ttl default_in_redis_ttl host mode namespace password port redis_url ssl supported_call_types
    ttl type url username`),
  known: list(`
    azure_account_url azure_blob_container cache_params disk_cache_dir gcp_service_account gcp_ssl_ca_certs
    gcs_bucket_name gcs_path gcs_path_service_account health_check_interval max_connections qdrant_api_base
    qdrant_api_key qdrant_collection_name qdrant_quantization_config qdrant_semantic_cache_embedding_model
    qdrant_semantic_cache_vector_size redis_flush_size redis_semantic_cache_embedding_model
    redis_semantic_cache_index_name redis_startup_nodes retry_on_timeout s3_api_version s3_aws_access_key_id
    s3_aws_secret_access_key s3_aws_session_token s3_bucket_name s3_config s3_endpoint_url s3_path s3_region_name
    s3_use_ssl s3_verify sentinel_nodes sentinel_password service_name similarity_threshold socket_connect_timeout
    socket_timeout ssl_ca_certs ssl_cert_reqs ssl_certfile ssl_check_hostname ssl_keyfile startup_nodes
    valkey_semantic_cache_embedding_model valkey_semantic_cache_index_name`),
}

/** `litellm_settings.s3_callback_params`. */
export const s3CallbackParamsKeys: SectionKeys = {
  supported: list(`
    s3_aws_access_key_id s3_aws_secret_access_key s3_aws_session_token s3_bucket_name s3_endpoint_url s3_path
    s3_region_name`),
  known: list(`
    s3_api_version s3_aws_role_name s3_aws_session_name s3_config s3_strip_base64_files s3_use_key_prefix s3_use_ssl
    s3_use_team_prefix s3_use_virtual_hosted_style s3_verify`),
}

/** `router_settings.routing_strategy_args`. */
export const strategyArgsKeys: SectionKeys = {
  supported: list('lowest_latency_buffer'),
  known: list('max_latency_list_size ttl'),
}

/** `general_settings.custom_auth_settings`. */
export const customAuthSettingsKeys: SectionKeys = { supported: list('mode'), known: [] }
