import type { DocumentNotes } from '../../http/openapi/document.js'
import { version } from '../../version.js'
import { glossary } from './glossary.js'

/** What the document of the management API says beside its operations. */
export const managementApiNotes: DocumentNotes = {
  title: 'Sluice: management',
  version,
  description: "Keys, users, teams, budgets, models and spend, with LiteLLM's paths and fields. Money is in dollars.",
  tags: {
    key: 'Virtual keys.',
    user: 'People.',
    team: 'Groups of users, and their members.',
    organization: 'Teams with a common budget, and their members.',
    customer: 'Whom calls are made for.',
    end_user: 'The same as customer.',
    budget: 'Tiers of limits that other records name.',
    tag: 'Labels with limits.',
    model: 'The model list, and what is added to it at run time.',
    spend: 'What was spent, by attempt and in sum.',
    global: "Everybody's spend.",
    cost: 'What calls would cost.',
    calls: 'Every call, whatever came of it.',
    audit: 'Who changed what.',
    settings: 'The configuration in force.',
    openapi: 'This description.',
  },
  glossary,
}
