import type { CallParts } from '../call/context.js'
import { type Route, type RouteExample, defineRoute } from '../http/route.js'
import { ModerationRequest, ModerationResponse } from '../wire/moderations.js'
import { callNotes } from './call-notes.js'
import { answerWhole, toldRefusals } from './model-call.js'

/** `POST /v1/moderations`. */
export function moderations(parts: CallParts): Route {
  return defineRoute<ModerationRequest>({
    method: 'POST',
    paths: ['/v1/moderations', '/moderations'],
    access: 'caller',
    summary: 'Tells what is harmful in texts or images.',
    ...callNotes,
    examples,
    body: ModerationRequest,
    response: ModerationResponse,
    handle: (context) => answerWhole('moderations', context, parts),
    refused: toldRefusals('moderations', parts),
  })
}

const examples: Readonly<Record<string, RouteExample>> = {
  text: {
    summary: 'One text',
    body: { model: 'demo-moderation', input: 'I hate rain' },
    answer: {
      id: 'modr-8gkJ0Cq5kDq2nVb1xW7yZt3R',
      model: 'demo-moderation',
      results: [
        {
          flagged: true,
          categories: { hate: true, violence: false },
          category_scores: { hate: 0.97, violence: 0.01 },
          category_applied_input_types: { hate: ['text'], violence: ['text'] },
        },
      ],
    },
  },
}
