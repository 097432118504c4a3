export { withNativeParts } from './native-parts.js'
export { toConverseBody, toSchemaName } from './request.js'
export { toMessagesAnswer } from './answer.js'
export { ConverseEvents } from './stream-events.js'
