import type { Operation, Operations } from '../wire/operations.js'
import type { Given } from './attempt.js'
import type { KnownCall } from './known-call.js'
import type { DecodedAnswer } from './read-answer.js'

/** A whole answer as it is given to whoever asked. */
export interface GivenWhole<K extends Operation> extends Given, DecodedAnswer<K> {
  /** Set where it came from the cache, for a request that nothing but itself had a say in. */
  readonly known?: KnownCall<K> | undefined
}

/** An answer that is written already, whose body is parsed only for those who read it. */
export class WrittenWhole<K extends Operation> implements GivenWhole<K> {
  readonly #answer: DecodedAnswer<K>
  readonly written: DecodedAnswer<K>['written']
  readonly deploymentId: string
  readonly droppedParams: readonly string[]
  readonly billable: boolean
  readonly headers: Given['headers']
  readonly known: KnownCall<K> | undefined

  constructor(answer: DecodedAnswer<K>, given: Given, known?: KnownCall<K>) {
    this.#answer = answer
    this.written = answer.written
    this.deploymentId = given.deploymentId
    this.droppedParams = given.droppedParams
    this.billable = given.billable
    this.headers = given.headers
    this.known = known
  }

  get body(): Operations[K]['response'] {
    return this.#answer.body
  }
}
