import type { Json } from '../api.js'
import { count, dollars, plainText } from '../kit/format.js'
import { Badge, Empty, Table } from '../kit/parts.js'
import type { WholeCall } from './call-types.js'

interface Line {
  readonly bucket: string
  readonly quantity: number
  /** Dollars, as exact decimals. */
  readonly rate: string | undefined
  readonly per: number
  readonly cost: string
}

function toLine({ bucket, quantity, rate, per, cost }: Json): Line {
  return {
    bucket: plainText(bucket),
    quantity: Number(quantity),
    rate: typeof rate === 'string' ? rate : undefined,
    per: Number(per),
    cost: plainText(cost),
  }
}

/** Rates of tokens as providers publish them, per million; others as they are. */
function toRate(rate: number, per: number): string {
  const isSmall = per === 1 && rate < 0.001
  return `$${+(isSmall ? rate * 1e6 : rate).toPrecision(9)} per ${isSmall ? 'million' : count(per)}`
}

/** How the cost of a call came about. */
export function PriceLines({ call }: { readonly call: WholeCall }) {
  const rows = call.price_lines.map(toLine)
  if (rows.length === 0) {
    return <Empty title={call.provider_cost === 0 ? 'Nothing was charged' : 'No price is known for this call'} />
  }
  return (
    <>
      <Table<Line & { readonly at: number }>
        caption="Price lines"
        rows={rows.map((line, at) => ({ ...line, at }))}
        keyOf={({ at }) => String(at)}
        columns={[
          { head: 'What', cell: ({ bucket }) => bucket },
          { head: 'Quantity', cell: ({ quantity }) => count(quantity), numeric: true },
          {
            head: 'Rate',
            cell: ({ rate, per }) => (rate === undefined ? 'not known' : toRate(Number(rate), per)),
            numeric: true,
          },
          { head: 'Cost', cell: ({ cost }) => `$${cost}`, numeric: true },
        ]}
      />
      <p class="muted">
        The providers charge {dollars(call.provider_cost)}; {dollars(call.spend)} were counted.{' '}
        {!call.priced && <Badge tone="warn">A price is not known</Badge>}
      </p>
    </>
  )
}
