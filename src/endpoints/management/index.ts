import type { Route } from '../../http/route.js'
import { auditRoutes } from './audit.js'
import { budgetUsage } from './budget-usage.js'
import { budgetRoutes } from './budgets.js'
import { callRoutes } from './calls.js'
import { costEstimate } from './cost-estimate.js'
import { customerRoutes } from './customers.js'
import { dailyActivity } from './daily-activity.js'
import { keyRoutes } from './keys.js'
import { modelRoutes } from './models.js'
import { organizationRoutes } from './organizations.js'
import type { AdminParts } from './parts.js'
import { settingsRoute } from './settings.js'
import { spendCalculate } from './spend-calculate.js'
import { spendLogs } from './spend-logs.js'
import { spendReport } from './spend-report.js'
import { spendTotals } from './spend-totals.js'
import { tagRoutes } from './tags.js'
import { teamRoutes } from './teams.js'
import { userRoutes } from './users.js'

/** Every path of the management API; none of it exists unless a host mounts `gateway.admin`. */
export function managementEndpoints(parts: AdminParts): readonly Route[] {
  return [
    ...keyRoutes(parts),
    ...userRoutes(parts),
    ...teamRoutes(parts),
    ...organizationRoutes(parts),
    ...customerRoutes(parts),
    ...budgetRoutes(parts),
    budgetUsage(parts),
    ...tagRoutes(parts),
    ...modelRoutes(parts),
    ...spendLogs(parts),
    ...callRoutes(parts),
    ...spendTotals(parts),
    spendReport(parts),
    dailyActivity(parts),
    costEstimate(parts),
    spendCalculate(parts),
    ...auditRoutes(parts),
    settingsRoute(parts),
  ]
}
