import type { ChartTheme } from '@/shared/chart/theme'
import type { Group } from './queries'

type Option = Record<string, unknown>

/** Scores by month: a line, and around it the band of the 95 % interval. A month without a score leaves a gap. */
export function trendOption(months: Group[], words: { score: string; band: string }) {
  const of = (pick: (group: Group) => number | undefined) => months.map((month) => pick(month) ?? null)
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 16, top: 32, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0, data: [words.score, words.band] },
    tooltip: {
      trigger: 'axis',
      formatter: (points: { dataIndex: number }[]) => {
        const month = months[points[0]?.dataIndex ?? 0]
        const score = month?.figures.score
        return score ? `${month.key}<br>${words.score} ${score.value.toFixed(1)}<br>${words.band} ${score.low.toFixed(1)}–${score.high.toFixed(1)}` : (month?.key ?? '')
      },
    },
    xAxis: { type: 'category', data: months.map((month) => month.key), boundaryGap: months.length < 2 },
    yAxis: { type: 'value', min: (range: { min: number }) => Math.max(0, Math.floor(range.min / 10) * 10), max: 100, splitNumber: 4 },
    series: [
      { name: 'low', type: 'line', stack: 'band', stackStrategy: 'all', symbol: 'none', lineStyle: { opacity: 0 }, data: of((month) => month.figures.score?.low), silent: true, tooltip: { show: false } },
      {
        name: words.band, type: 'line', stack: 'band', stackStrategy: 'all', symbol: 'none', lineStyle: { opacity: 0 }, itemStyle: { color: theme.colours[0], opacity: 0.3 },
        areaStyle: { color: theme.colours[0], opacity: 0.16 }, silent: true,
        data: of((month) => (month.figures.score ? month.figures.score.high - month.figures.score.low : undefined)),
      },
      { name: words.score, type: 'line', symbolSize: 7, lineStyle: { width: 2, color: theme.colours[0] }, itemStyle: { color: theme.colours[0] }, data: of((month) => month.figures.score?.value) },
    ],
  })
}

interface Whisker {
  value: (index: number) => number
  coord: (point: [number, number]) => [number, number]
}

/**
 * Groups as dots, each with the whiskers of its 95 % interval; small groups are pale. Dots, because the axis begins near the
 * lowest score: the length of a bar would say what is not so.
 */
export function dotsOption(groups: Group[], name: (group: Group) => string, words: { score: string; band: string }) {
  const shown = groups.filter((group) => group.figures.score)
  const least = Math.min(...shown.map((group) => group.figures.score?.low ?? 100), 100)
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 44, top: 8, bottom: 4, containLabel: true },
    tooltip: {
      formatter: ({ dataIndex }: { dataIndex: number }) => {
        const group = shown[dataIndex]
        const score = group?.figures.score
        return group && score ? `${name(group)}<br>${words.score} ${score.value.toFixed(1)}<br>${words.band} ${score.low.toFixed(1)}–${score.high.toFixed(1)}<br>n = ${group.figures.measures.scored}` : ''
      },
    },
    xAxis: { type: 'value', min: Math.max(0, Math.floor((least - 5) / 10) * 10), max: 100, splitNumber: 4 },
    yAxis: { type: 'category', inverse: true, data: shown.map(name), axisLine: { show: false }, axisLabel: { width: 200, overflow: 'truncate', color: theme.ink } },
    series: [
      {
        name: words.score, type: 'scatter', symbolSize: 11, z: 4,
        data: shown.map((group, index) => ({ value: [group.figures.score?.value, index], itemStyle: { color: theme.colours[0], opacity: group.figures.small ? 0.45 : 1 } })),
        label: { show: true, position: 'top', distance: 3, color: theme.ink, formatter: ({ value }: { value: [number, number] }) => value[0].toFixed(1) },
      },
      {
        name: words.band, type: 'custom', silent: true, z: 3, encode: { x: [0, 1], y: 2 },
        data: shown.map((group, index) => [group.figures.score?.low, group.figures.score?.high, index]),
        renderItem: (_: unknown, api: Whisker) => whisker(api, theme.ink),
      },
    ],
  })
}

/** A line from the lower to the upper end with a stroke at each. */
function whisker(api: Whisker, colour: string) {
  const [x1, y] = api.coord([api.value(0), api.value(2)])
  const [x2] = api.coord([api.value(1), api.value(2)])
  const line = (from: [number, number], to: [number, number]) => ({
    type: 'line', shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] }, style: { stroke: colour, lineWidth: 1.5 },
  })
  return { type: 'group', children: [line([x1, y], [x2, y]), line([x1, y - 5], [x1, y + 5]), line([x2, y - 5], [x2, y + 5])] }
}
