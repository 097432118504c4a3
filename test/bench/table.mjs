const columns = [
  ['case', (result) => result.title],
  ['figure', (result) => `${number(result.figure)} ${result.unit}`],
  ['against', (result) => (result.baseline ? `${number(result.baselineFigure)} ${result.baseline}` : '')],
  ['result', shown],
  ['target', (result) => `≤ ${result.target}${result.ratio === undefined ? ` ${result.unit}` : ' ×'}`],
  ['added p50 / p99', latency],
  ['reached', (result) => `${result.reached ? 'yes' : 'NO'}${remarks(result)}`],
]

/** The results as one table of plain text. */
export function toTable(results) {
  const rows = [columns.map(([title]) => title), ...results.map((result) => columns.map(([, cell]) => cell(result)))]
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column].length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column]))
      .join('  ')
      .trimEnd(),
  )
  return [lines[0], '-'.repeat(lines[0].length), ...lines.slice(1)].join('\n')
}

function shown({ ratio, difference, figure, unit }) {
  return ratio === undefined ? `${number(difference ?? figure)} ${unit}` : `${ratio.toFixed(2)} ×`
}

function latency({ addedP50Ms, addedP99Ms, latency: what, firstByteTargetMs }) {
  if (addedP50Ms === undefined) return ''
  const target = firstByteTargetMs === undefined ? '' : ` (≤ ${firstByteTargetMs} ms at p50)`
  return `${addedP50Ms.toFixed(2)} / ${addedP99Ms.toFixed(2)} ms, ${what}${target}`
}

function remarks({ parsesPerRequest, leftAtUpstream, touched, idleDifference, cpuDifference }) {
  const parts = [
    parsesPerRequest === undefined ? '' : `${parsesPerRequest} parse of the body`,
    leftAtUpstream === undefined ? '' : `${leftAtUpstream} calls left at the upstream`,
    touched === undefined ? '' : touched.length === 0 ? 'no network, no writes' : `touched ${touched.join(', ')}`,
    cpuDifference === undefined ? '' : `${number(cpuDifference)} ms of CPU`,
    idleDifference === undefined ? '' : `${number(idleDifference)} MB before the load`,
  ].filter(Boolean)
  return parts.length === 0 ? '' : `, ${parts.join(', ')}`
}

function number(value) {
  if (value >= 1_000) return value.toFixed(0)
  return value < 1 ? value.toFixed(3) : value.toFixed(1)
}
