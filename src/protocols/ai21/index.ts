import { chatOverCompletions } from '../chat-over-completions.js'
import { readFailure } from '../failure.js'
import type { Protocol } from '../protocol.js'
import { completions } from './complete.js'

/** AI21's API of the J2 models, which were shut down; look-alikes remain. */
export const ai21Protocol: Protocol = {
  name: 'ai21',
  codecs: { chat: chatOverCompletions(completions), completions },
  failure: readFailure,
}
