/**
 * Recordings that contradict what their provider documents, by id; each names the fact. They are replayed as the others
 * are, their findings are printed, and they do not fail the test.
 */
export const contradictions: ReadonlyMap<string, string> = new Map([
  ['openai-openai-responses-41145123e247', "a tool in chat's nested form, and OpenAI documents it as flat"],
  ['openai-openai-responses-a65cf0efca98', 'the recorder wrote the log probability -2e-6 as text'],
  ['openai-openai-responses-fa680290f710', 'shortened by hand: the deltas are not the text that they end in'],
])
