import type { ResponseOf } from '@/backend'
import type { FigureCode } from '@/bindings/FigureCode'
import type { ChartTheme } from '@/shared/chart/theme'

type Figures = ResponseOf<'reports_figures'>
type Option = Record<string, unknown>
type Hour = Figures['answering'][number]

/** Hours that are shown even without a call, so that the map does not jump from month to month. */
const OFFICE_HOURS = [8, 17] as const
const BARS = 12

/** `12.5%`, or a dash when there is nothing to share. */
export function share(part: number, whole: number): string {
  return whole > 0 ? `${((part / whole) * 100).toFixed(1)}%` : '—'
}

/** Whether a trend's points are months. */
export const byMonth = (trend: Figures['trend']) => trend.some((point) => point.on !== point.until)
/** What a point of the trend is called: its day, or its month. */
export const pointName = (point: Figures['trend'][number], months: boolean) => (months ? point.on.slice(0, 7) : point.on)

/** Due and done by day or month: the done part stands in front of what was due. */
export function trendOption(trend: Figures['trend'], words: { due: string; done: string }) {
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 8, top: 32, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0 },
    tooltip: { trigger: 'axis' },
    xAxis: { type: 'category', data: trend.map((day) => (byMonth(trend) ? day.on.slice(2, 7) : day.on.slice(5))), axisLabel: { hideOverlap: true } },
    yAxis: { type: 'value', minInterval: 1, splitNumber: 4 },
    series: [
      { name: words.due, type: 'bar', data: trend.map((day) => day.due), barGap: '-100%', barMaxWidth: 26, itemStyle: { color: theme.colours[5], opacity: 0.32, borderRadius: [3, 3, 0, 0] } },
      { name: words.done, type: 'bar', data: trend.map((day) => day.done), barMaxWidth: 26, itemStyle: { color: theme.colours[0], borderRadius: [3, 3, 0, 0] } },
    ],
  })
}

/** The funnel as bars from one line: lengths compare, areas do not. */
export function funnelOption(funnel: Figures['funnel'], name: (step: string) => string) {
  const first = funnel[0]?.tasks ?? 0
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 96, top: 4, bottom: 4, containLabel: true },
    tooltip: {},
    xAxis: { type: 'value', max: Math.max(first, 1), show: false },
    yAxis: { type: 'category', inverse: true, data: funnel.map((step) => name(step.step)), axisLine: { show: false }, axisLabel: { fontSize: 13, color: theme.ink } },
    series: [{
      type: 'bar', barMaxWidth: 34,
      data: funnel.map((step, index) => ({ value: step.tasks, itemStyle: { color: theme.colours[0], opacity: 1 - index * 0.16, borderRadius: 3 } })),
      label: { show: true, position: 'right', color: theme.ink, opacity: 1, formatter: ({ value }: { value: number }) => `${value}  ${share(value, first)}` },
    }],
  })
}

/** The figure whose rows stand behind a bar of the funnel; the first bar is what all of them are shares of. */
export function stepFigure(step: string): FigureCode {
  if (step === 'reached') return 'funnel_reached'
  return step === 'completed' ? 'funnel_completed' : 'funnel_called'
}

/** First and last hour of the map. */
export function hoursShown(answering: Hour[]): number[] {
  const hours = answering.map((cell) => cell.hour)
  const [first, last] = [Math.min(OFFICE_HOURS[0], ...hours), Math.max(OFFICE_HOURS[1], ...hours)]
  return Array.from({ length: last - first + 1 }, (_, index) => first + index)
}

/** When people answer: weekday by hour, the share of connected calls in the cell. */
export function answeringOption(answering: Hour[], words: { weekdays: string[]; cell: (hour: Hour) => string }) {
  const hours = hoursShown(answering)
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 8, top: 4, bottom: 4, containLabel: true },
    tooltip: { formatter: ({ data }: { data: { hour: Hour } }) => words.cell(data.hour) },
    xAxis: { type: 'category', data: hours.map((hour) => `${hour}:00`), splitLine: { show: false }, axisLine: { show: false }, axisLabel: { interval: 0, hideOverlap: true } },
    yAxis: { type: 'category', inverse: true, data: words.weekdays, axisLine: { show: false } },
    visualMap: { show: false, min: 0, max: 1, dimension: 2, inRange: { color: [theme.line, theme.colours[0]] } },
    series: [{
      type: 'heatmap',
      data: answering.map((cell) => {
        const rate = cell.calls > 0 ? cell.connected / cell.calls : 0
        return {
          value: [hours.indexOf(cell.hour), cell.weekday - 1, rate], hour: cell,
          label: { show: true, formatter: `${Math.round(rate * 100)}`, color: rate > 0.62 ? theme.surface : theme.ink, fontSize: 12 },
        }
      }),
      itemStyle: { borderColor: theme.surface, borderWidth: 2, borderRadius: 3 },
    }],
  })
}

/** The departments with most discharges: followed in front of all discharges. */
export function departmentsOption(departments: Figures['departments'], words: { discharges: string; followed: string; none: string }) {
  const shown = departments.slice(0, BARS)
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 56, top: 28, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0 },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
    xAxis: { type: 'value', minInterval: 1, splitNumber: 4 },
    yAxis: { type: 'category', inverse: true, data: shown.map((line) => line.department || words.none), axisLine: { show: false }, axisLabel: { width: 120, overflow: 'truncate' } },
    series: [
      {
        name: words.discharges, type: 'bar', barGap: '-100%', barMaxWidth: 18, data: shown.map((line) => line.discharges), itemStyle: { color: theme.colours[5], opacity: 0.32, borderRadius: 3 },
        label: { show: true, position: 'right', color: theme.soft, opacity: 1, formatter: ({ dataIndex }: { dataIndex: number }) => share(shown[dataIndex]?.followed ?? 0, shown[dataIndex]?.discharges ?? 0) },
      },
      { name: words.followed, type: 'bar', barMaxWidth: 18, data: shown.map((line) => line.followed), itemStyle: { color: theme.colours[0], borderRadius: 3 } },
    ],
  })
}

/** What each nurse did: tasks done in front of tasks due, calls beside them. */
export function workloadOption(workload: Figures['workload'], words: { due: string; done: string; calls: string; name: (line: Figures['workload'][number]) => string }) {
  const shown = workload.slice(0, BARS)
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 16, top: 28, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0 },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
    xAxis: { type: 'value', minInterval: 1, splitNumber: 4 },
    yAxis: { type: 'category', inverse: true, data: shown.map(words.name), axisLine: { show: false }, axisLabel: { width: 96, overflow: 'truncate' } },
    series: [
      { name: words.due, type: 'bar', stack: 'due', barMaxWidth: 9, data: shown.map((line) => line.due), itemStyle: { color: theme.colours[5], opacity: 0.32, borderRadius: 3 } },
      { name: words.done, type: 'bar', stack: 'done', barMaxWidth: 9, data: shown.map((line) => line.done), itemStyle: { color: theme.colours[0], borderRadius: 3 } },
      { name: words.calls, type: 'bar', stack: 'calls', barMaxWidth: 9, data: shown.map((line) => line.calls), itemStyle: { color: theme.colours[1], borderRadius: 3 } },
    ],
  })
}

/** The states of alerts, in the order of `STATES`. */
export const STATES = ['in_time', 'late', 'unhandled'] as const

/** What became of alerts: a bar for each level, its parts what was handled in time, late, or not. */
export function alertsOption(alerts: Figures['alerts'], words: { level: (level: string) => string; state: (state: (typeof STATES)[number]) => string }) {
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 16, top: 28, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0 },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
    xAxis: { type: 'value', minInterval: 1, splitNumber: 4 },
    yAxis: { type: 'category', inverse: true, data: alerts.map((line) => words.level(line.level)), axisLine: { show: false } },
    series: STATES.map((state, index) => ({
      name: words.state(state), type: 'bar', stack: 'alerts', barMaxWidth: 26, data: alerts.map((line) => line[state]),
      itemStyle: { color: theme.colours[[0, 5, 3][index] ?? 0], opacity: index === 1 ? 0.55 : 1 },
      label: { show: true, color: theme.surface, fontSize: 12, formatter: ({ value }: { value: number }) => (value > 0 ? `${value}` : '') },
    })),
  })
}

/** Categories of complaints, most first, and how much of the whole those so far make. */
export function paretoOption(complaints: Figures['complaints'], words: { complaints: string; cumulative: string; name: (category: string) => string }) {
  const shown = complaints.slice(0, BARS)
  const all = complaints.at(-1)?.cumulative ?? 0
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 8, top: 32, bottom: 4, containLabel: true },
    legend: { top: 0, right: 0 },
    tooltip: { trigger: 'axis', axisPointer: { type: 'shadow' } },
    xAxis: { type: 'category', data: shown.map((line) => words.name(line.category)), axisLabel: { interval: 0, width: 72, overflow: 'break', fontSize: 11 } },
    yAxis: [
      { type: 'value', minInterval: 1, splitNumber: 4 },
      { type: 'value', min: 0, max: 100, interval: 25, splitLine: { show: false }, axisLabel: { formatter: '{value}%' } },
    ],
    series: [
      { name: words.complaints, type: 'bar', barMaxWidth: 30, data: shown.map((line) => line.complaints), itemStyle: { color: theme.colours[0], borderRadius: [3, 3, 0, 0] } },
      { name: words.cumulative, type: 'line', yAxisIndex: 1, data: shown.map((line) => (all > 0 ? Math.round((line.cumulative / all) * 1000) / 10 : 0)), itemStyle: { color: theme.colours[2] } },
    ],
  })
}

/** How long complaints have been open; what is past its day stands apart, in the colour of warnings. */
export function ageingOption(ages: Figures['figures'], name: (age: string) => string) {
  return (theme: ChartTheme): Option => ({
    grid: { left: 8, right: 96, top: 4, bottom: 4, containLabel: true },
    tooltip: {},
    xAxis: { type: 'value', show: false },
    yAxis: { type: 'category', inverse: true, data: ages.map((age) => name(age.slice ?? '')), axisLine: { show: false }, axisLabel: { fontSize: 13, color: theme.ink } },
    series: [{
      type: 'bar', barMaxWidth: 30,
      data: ages.map((age) => ({ value: age.numerator, itemStyle: { color: theme.colours[age.slice === 'overdue' ? 3 : 0], borderRadius: 3 } })),
      label: { show: true, position: 'right', color: theme.ink, formatter: ({ dataIndex }: { dataIndex: number }) => `${ages[dataIndex]?.numerator ?? 0} / ${ages[dataIndex]?.denominator ?? 0}` },
    }],
  })
}
