import { describe, expect, it } from 'vitest'
import { awsFailure, awsStreamError } from '../../src/protocols/aws-failure.js'

const typed = (type: string) => ({ 'x-amzn-errortype': `${type}:http://internal.amazon.com/coral/` })

describe('an error answer of AWS', () => {
  it.each([
    [400, 'ValidationException', 'invalid_request'],
    [403, 'AccessDeniedException', 'upstream_permission'],
    [403, 'UnrecognizedClientException', 'upstream_authentication'],
    [403, 'InvalidSignatureException', 'upstream_authentication'],
    [403, 'ExpiredTokenException', 'upstream_authentication'],
    [404, 'ResourceNotFoundException', 'upstream_model_not_found'],
    [408, 'ModelTimeoutException', 'timeout'],
    [429, 'ThrottlingException', 'rate_limited'],
    [429, 'ModelNotReadyException', 'unavailable'],
    [400, 'ServiceQuotaExceededException', 'rate_limited'],
    [424, 'ModelErrorException', 'upstream_error'],
    [500, 'InternalServerException', 'upstream_error'],
    [503, 'ServiceUnavailableException', 'unavailable'],
    [530, 'InternalDependencyException', 'unavailable'],
  ])('%s %s is %s', (status, type, kind) => {
    expect(awsFailure(status, { message: 'No.' }, typed(type))).toMatchObject({ kind, message: 'No.' })
  })

  it('is read from the body where the header is missing', () => {
    const failure = awsFailure(429, { __type: 'com.amazon#ThrottlingException', message: 'Rate exceeded' })
    expect(failure).toMatchObject({ kind: 'rate_limited', type: 'Throttling' })
  })

  it('tells a prompt that is too long, and a model that cannot be called, from other bad requests', () => {
    const of = (message: string) => awsFailure(400, { message }, typed('ValidationException')).kind
    expect(of('Input is too long for requested model.')).toBe('context_window')
    expect(of('The provided model identifier is invalid.')).toBe('upstream_model_not_found')
    expect(of("Invocation of model ID x with on-demand throughput isn't supported.")).toBe('upstream_model_not_found')
    expect(of('messages: roles must alternate')).toBe('invalid_request')
  })

  it('lets a container behind SageMaker say whose fault it was', () => {
    const body = { Message: 'Received client error (400)', OriginalStatusCode: 400, OriginalMessage: 'bad' }
    expect(awsFailure(424, body, typed('ModelError'))).toMatchObject({ kind: 'invalid_request', message: body.Message })
    expect(awsFailure(424, { ...body, OriginalStatusCode: 500 }, typed('ModelError')).kind).toBe('upstream_error')
  })

  it('may come in a stream', () => {
    const event = (name: string) => ({ event: name, data: '{"message":"No."}', frame: undefined })
    expect(awsStreamError(event('exception:throttlingException'), 'bedrock')).toMatchObject({
      kind: 'rate_limited',
      message: 'No.',
    })
    expect(awsStreamError(event('error:InternalFailure'), 'bedrock')?.status).toBe(502)
    expect(awsStreamError(event('exception:toString'), 'bedrock')?.kind).toBe('upstream_error')
    expect(awsStreamError(event('contentBlockDelta'), 'bedrock')).toBeUndefined()
  })
})
