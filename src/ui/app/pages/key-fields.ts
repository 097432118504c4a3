import type { FormField } from '../kit/form.js'
import { limitFields, modelsField, tierField } from './limit-fields.js'

/** What is asked for a key. */
export function keyFields(models: readonly string[]): readonly FormField[] {
  return [
    { name: 'key_alias', label: 'Name', kind: 'text', hint: 'Unique among keys.' },
    { name: 'duration', label: 'Valid for', kind: 'text', hint: 'From now on, such as 30d; empty: for ever.' },
    { name: 'team_id', label: 'Team', kind: 'text' },
    { name: 'user_id', label: 'User', kind: 'text' },
    modelsField(models),
    { name: 'tags', label: 'Tags', kind: 'list', hint: 'With commas between.' },
    ...limitFields,
    tierField,
    { name: 'metadata', label: 'Metadata', kind: 'json' },
  ]
}
