/** Text of others', so that it formats nothing and calls nobody: https://docs.slack.dev/messaging/formatting-message-text */
export function plainText(text: string): string {
  return text
    .slice(0, 300)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[*_~`\n]/g, ' ')
}
