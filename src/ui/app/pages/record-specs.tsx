import type { Json } from '../api.js'
import { Badge, type Column } from '../kit/parts.js'
import { limitFields, modelsField, tierField } from './limit-fields.js'
import { BudgetText, Limits, ModelNames } from './limits.js'
import { type RecordSpec, Records } from './records.js'

const text = (head: string, name: string): Column<Json> => ({
  head,
  cell: (record) => (typeof record[name] === 'string' ? record[name] : <span class="muted">–</span>),
})
const models: Column<Json> = { head: 'Models', cell: (record) => <ModelNames record={record} /> }
const budget: Column<Json> = { head: 'Budget', cell: (record) => <BudgetText record={record} />, numeric: true }
const limits: Column<Json> = { head: 'Limits', cell: (record) => <Limits record={record} /> }
const state: Column<Json> = {
  head: 'State',
  cell: ({ blocked }) => (blocked === true ? <Badge tone="bad">blocked</Badge> : <Badge tone="good">active</Badge>),
}

const teams: RecordSpec = {
  title: 'Teams',
  lead: 'Groups of users with keys, models and a budget of their own.',
  noun: 'team',
  base: '/team',
  idField: 'team_id',
  columns: [text('Name', 'team_alias'), state, models, budget, limits],
  fields: [
    { name: 'team_alias', label: 'Name', kind: 'text' },
    { name: 'organization_id', label: 'Organization', kind: 'text' },
    modelsField([]),
    ...limitFields,
    tierField,
    { name: 'metadata', label: 'Metadata', kind: 'json' },
  ],
  deleteBody: (id) => ({ team_ids: [id] }),
  deleteWarning:
    'All keys of the team stop working, and its members lose their places. What it has spent stays in the ledger.',
  blockBody: (id) => ({ team_id: id }),
  info: { query: (id) => ({ team_id: id }), member: 'team_info' },
  hasMembers: true,
}

const organizations: RecordSpec = {
  title: 'Organizations',
  lead: 'Teams with a common budget.',
  noun: 'organization',
  base: '/organization',
  idField: 'organization_id',
  columns: [text('Name', 'organization_alias'), state, models, budget, limits],
  fields: [
    { name: 'organization_alias', label: 'Name', kind: 'text' },
    modelsField([]),
    ...limitFields,
    tierField,
    { name: 'metadata', label: 'Metadata', kind: 'json' },
  ],
  deleteBody: (id) => ({ organization_ids: [id] }),
  deleteWarning: 'All its teams and their keys go with it. What it has spent stays in the ledger.',
  info: { query: (id) => ({ organization_id: id }) },
  hasMembers: true,
}

const users: RecordSpec = {
  title: 'Users',
  lead: 'People who own keys and belong to teams.',
  noun: 'user',
  base: '/user',
  idField: 'user_id',
  listMember: 'users',
  columns: [text('E-mail', 'user_email'), text('Role', 'user_role'), models, budget, limits],
  fields: [
    { name: 'user_email', label: 'E-mail', kind: 'text' },
    { name: 'user_alias', label: 'Name', kind: 'text' },
    {
      name: 'user_role',
      label: 'Role',
      kind: 'choice',
      options: [
        ['', 'internal_user, if nothing else'],
        ['proxy_admin', 'proxy_admin'],
        ['proxy_admin_viewer', 'proxy_admin_viewer'],
        ['internal_user', 'internal_user'],
        ['internal_user_viewer', 'internal_user_viewer'],
      ],
    },
    modelsField([]),
    ...limitFields,
    tierField,
    { name: 'metadata', label: 'Metadata', kind: 'json' },
  ],
  // Keys are made on their own page, where their text is shown.
  fixed: { auto_create_key: false },
  deleteBody: (id) => ({ user_ids: [id] }),
  deleteWarning: 'All keys of the user stop working. What was spent stays in the ledger.',
  info: { query: (id) => ({ user_id: id }), member: 'user_info' },
}

const customers: RecordSpec = {
  title: 'Customers',
  lead: 'Your own customers, whom calls can be counted for.',
  noun: 'customer',
  base: '/customer',
  idField: 'user_id',
  idIsRequired: true,
  columns: [text('Name', 'alias'), state, models, budget, limits],
  fields: [
    { name: 'alias', label: 'Name', kind: 'text' },
    { name: 'allowed_model_region', label: 'Region that calls stay in', kind: 'text' },
    modelsField([]),
    ...limitFields,
    tierField,
    { name: 'metadata', label: 'Metadata', kind: 'json' },
  ],
  deleteBody: (id) => ({ user_ids: [id] }),
  deleteWarning: 'Its limits go with it. What was spent for it stays in the ledger.',
  blockBody: (id) => ({ user_ids: [id] }),
  info: { query: (id) => ({ end_user_id: id }) },
}

const budgets: RecordSpec = {
  title: 'Tiers',
  lead: 'Limits with a name, for any number of keys, teams, users and customers.',
  noun: 'tier',
  base: '/budget',
  idField: 'budget_id',
  columns: [budget, limits],
  fields: limitFields,
  deleteBody: (id) => ({ id }),
  deleteWarning: 'Keys that name this tier open nothing until they name another, or none.',
}

/** Teams. */
export const Teams = () => <Records spec={teams} key="teams" />
/** Organizations. */
export const Organizations = () => <Records spec={organizations} key="organizations" />
/** Users. */
export const Users = () => <Records spec={users} key="users" />
/** Customers. */
export const Customers = () => <Records spec={customers} key="customers" />
/** Tiers of limits. */
export const Budgets = () => <Records spec={budgets} key="budgets" />
