import { useEffect, useRef, useState } from 'preact/hooks'
import UPlot from 'uplot'

const height = 250

/** One figure by day as a chart; the same in words and as a table for those who cannot see it. */
export function Chart(props: {
  readonly title: string
  /** As in `2026-11-25`. */
  readonly dates: readonly string[]
  readonly values: readonly number[]
  readonly format: (value: number) => string
}) {
  const { title, dates, values, format } = props
  const place = useRef<HTMLDivElement>(null)
  const theme = useTheme()
  const signature = JSON.stringify([title, dates, values])
  useEffect(() => {
    const element = place.current
    if (!element) return
    const plot = new UPlot(
      optionsOf(element, title, format),
      [dates.map((date) => Date.parse(date) / 1_000), [...values]],
      element,
    )
    const observer = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }))
    observer.observe(element)
    return () => {
      observer.disconnect()
      plot.destroy()
    }
  }, [signature, theme])
  return (
    <>
      <div class="chart" ref={place} aria-hidden="true" />
      <div class="visually-hidden">
        <table>
          <caption>{title} by day</caption>
          <tbody>
            {dates.map((date, at) => (
              <tr key={date}>
                <th scope="row">{date}</th>
                <td>{format(values[at] ?? 0)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  )
}

function optionsOf(element: HTMLElement, title: string, format: (value: number) => string): UPlot.Options {
  const style = getComputedStyle(element)
  const [accent, line, muted] = ['--accent', '--line', '--muted'].map((name) => style.getPropertyValue(name).trim())
  const axis = { stroke: muted ?? '', grid: { stroke: line ?? '', width: 1 }, ticks: { stroke: line ?? '', width: 1 } }
  const days = (_: UPlot, at: number): string => new Date(at * 1_000).toISOString().slice(0, 10)
  return {
    width: element.clientWidth,
    height,
    // Days are those of the ledger, in UTC.
    tzDate: (at) => UPlot.tzDate(new Date(at * 1_000), 'Etc/UTC'),
    cursor: { y: false, points: { size: 7 } },
    scales: { y: { range: (_, __, max) => [0, max > 0 ? max * 1.08 : 1] } },
    axes: [
      {
        ...axis,
        values: (_, times) => times.map((at) => new Date(at * 1_000).toISOString().slice(5, 10)),
        incrs: [86_400, 172_800, 432_000, 604_800, 1_209_600],
      },
      { ...axis, size: 74, values: (_, ticks) => ticks.map(format) },
    ],
    series: [
      { label: 'Day', value: (plot, at) => (at === null ? '–' : days(plot, at)) },
      {
        label: title,
        stroke: accent ?? '',
        width: 2,
        fill: `color-mix(in srgb, ${accent} 14%, transparent)`,
        points: { show: true, size: 5 },
        value: (_, value) => (value === null ? '–' : format(value)),
      },
    ],
  }
}

/** Counts the changes of the theme: canvases do not follow it by themselves. */
function useTheme(): number {
  const [turn, setTurn] = useState(0)
  useEffect(() => {
    const onChange = (): void => setTurn((before) => before + 1)
    window.addEventListener('themechange', onChange)
    return () => window.removeEventListener('themechange', onChange)
  }, [])
  return turn
}
