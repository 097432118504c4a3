/** The path of one of Bedrock's actions; the id is one segment, whatever slashes and colons an ARN has. */
export function bedrockPath(id: string, action: string): string {
  return `/model/${encodeURIComponent(id)}/${action}`
}
