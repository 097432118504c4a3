import { type Route, type RouteContext, defineRoute } from '../../http/route.js'
import type { HttpResponse } from '../../http/message.js'
import { type Actor, toActor } from '../../keys/management/index.js'
import type { AdminParts } from './parts.js'

/** An endpoint of the management API as data; `handle` also gets what the records say of the caller. */
export interface ManagedRoute<Body, Query> extends Omit<Route<Body, Query>, 'access' | 'handle'> {
  /** Every field of the answer: the contract test refuses others. */
  readonly response: NonNullable<Route['response']>
  /** At least one; see the table in `endpoints/index.ts`. */
  readonly examples: NonNullable<Route['examples']>
  /** `caller`: everybody with a valid credential may ask; what is answered depends on who it is. */
  readonly access: 'caller' | 'admin'
  handle(actor: Actor, context: RouteContext<Body, Query>): Promise<HttpResponse> | HttpResponse
}

/** Turns one into a route. */
export function defineManaged<Body, Query>(parts: AdminParts, route: ManagedRoute<Body, Query>): Route {
  return defineRoute<Body, Query>({
    ...route,
    handle: async (context) => route.handle(await toActor(context.caller, parts.callers), context),
  })
}

/** The same under a second method: LiteLLM has `PATCH` and `DELETE` for some, and its clients `POST`. */
export function withMethods(methods: readonly Route['method'][], route: Route): readonly Route[] {
  return methods.map((method) => ({ ...route, method }))
}
