/**
 * Recordings that contradict what their provider documents, by id; each names the fact, for which it is left out. They
 * are replayed all the same, so that one that passes does not stay here, and their findings are printed.
 */
export const contradictions: ReadonlyMap<string, string> = new Map([
  ['openai-openai-responses-41145123e247', "a tool in chat's nested form, and OpenAI documents it as flat"],
  ['openai-openai-responses-a65cf0efca98', 'the recorder wrote the log probability -2e-6 as text'],
  ['openai-openai-responses-fa680290f710', 'shortened by hand: the deltas are not the text that they end in'],
])
