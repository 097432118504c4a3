import { moment, plainText } from '../kit/format.js'

/** One fact of a record, where it is set. */
export function Fact({ label, value }: { readonly label: string; readonly value: unknown }) {
  const isDate = typeof value === 'string' && /^\d{4}-\d\d-\d\dT/.test(value)
  const text = isDate ? moment(value) : plainText(value)
  if (text === '{}' || text === '[]' || text === '') return null
  return (
    <>
      <dt>{label}</dt>
      <dd>{Array.isArray(value) ? value.map(plainText).join(', ') : text}</dd>
    </>
  )
}
