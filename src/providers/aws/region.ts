import type { Deployment } from '../../deployment.js'
import { InvalidRequestError } from '../../errors.js'
import { awsDomain } from '../../upstream/aws-credentials.js'
import { settingOf } from '../settings.js'

const regionPattern = /^[a-z]{2,3}(?:-[a-z]+)+-\d{1,2}$/

/** True for a text that has the form of a region's name, so that it may become part of a host name. */
export function isAwsRegion(text: string): boolean {
  return regionPattern.test(text)
}

/**
 * Where a deployment's calls go: the region that its model's name holds (an ARN works in its own region only), else the
 * deployment's or the environment's, else us-west-2.
 * @throws InvalidRequestError where the setting is no region
 */
export function awsRegion(deployment: Deployment, ofModel: string | undefined): string {
  const region = ofModel ?? settingOf(deployment, 'region') ?? 'us-west-2'
  if (isAwsRegion(region)) return region
  throw new InvalidRequestError(`"${region}" is not an AWS region; one looks like eu-central-1.`, 'settings')
}

/** The address of a service in a region. */
export function awsAddress(service: string, region: string): string {
  return `https://${service}.${region}.${awsDomain(region)}`
}
