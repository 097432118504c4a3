import type { KeyData } from './records.js'

/** Paths, or patterns that end in `*`, which a key may be used for. */
export type Routes = readonly string[] | 'all'

const managed = ['key', 'user', 'team', 'organization', 'customer', 'end_user', 'budget', 'tag', 'spend', 'audit']
const managementRoutes = [
  ...managed.flatMap((kind) => [`/${kind}`, `/${kind}/*`]),
  '/model/*',
  '/global/*',
  '/cost/*',
  '/v2/*',
  '/calls',
  '/calls/*',
  '/settings',
]
const modelRoutes = [
  '/v1/*',
  '/chat/*',
  '/completions',
  '/embeddings',
  '/images/*',
  '/models',
  '/models/*',
  '/moderations',
  '/responses*',
]
const informationRoutes = [
  ...managed.flatMap((kind) => [`/${kind}/info`, `/${kind}/list`]),
  '/model/info',
  '/models',
  '/models/*',
  '/v1/models',
  '/v1/models/*',
  '/v1/model/info',
  '/user/daily/activity',
  '/spend/*',
  '/global/spend/*',
  '/calls',
  '/calls/*',
]

/** Groups of paths by LiteLLM's names for them. */
const routeGroups: Readonly<Record<string, readonly string[]>> = {
  llm_api_routes: modelRoutes,
  openai_routes: modelRoutes,
  management_routes: managementRoutes,
  key_management_routes: ['/key/*'],
  info_routes: informationRoutes,
  spend_tracking_routes: ['/spend/*', '/global/spend/*'],
}

const ofType: Readonly<Record<NonNullable<KeyData['key_type']>, Routes>> = {
  default: 'all',
  llm_api: modelRoutes,
  management: managementRoutes,
  read_only: informationRoutes,
}

/** Where a key may be used: what its type allows, or in place of that its own list. */
export function toRoutes({ key_type: type, allowed_routes: own }: KeyData): Routes {
  if (!own || own.length === 0) return ofType[type ?? 'default']
  return own.flatMap((route) => (Object.hasOwn(routeGroups, route) ? (routeGroups[route] ?? []) : [route]))
}

/** True where a path is one of those. */
export function isRouteAllowed(path: string, routes: Routes): boolean {
  if (routes === 'all') return true
  return routes.some((route) => (route.endsWith('*') ? path.startsWith(route.slice(0, -1)) : route === path))
}
