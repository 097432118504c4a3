/**
 * Recordings that contradict what their provider documents, by id; each names the fact. They are replayed as the others
 * are, their findings are printed, and they do not fail the test.
 */
export const contradictions: ReadonlyMap<string, string> = new Map([
  [
    'anthropic-anthropic-messages-4247fb9bcf35',
    'hand-made: output_tokens falls from 1 to 0, and Anthropic documents it as cumulative',
  ],
])
