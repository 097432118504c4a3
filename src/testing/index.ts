export type { Finish, ScriptedContent } from './compose.js'
export { startFakeUpstream, type FakeUpstream, type FakeUpstreamOptions } from './fake-upstream.js'
export { faults, type Fault, type FaultPlan } from './faults.js'
export type { FakeRequest, ScriptedAnswer, ScriptedChunk, ScriptFunction, ScriptStep } from './script.js'
