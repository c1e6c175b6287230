/** The tokens that charts draw with, read from the page so that light, dark and later changes all hold. */
export interface ChartTheme {
  colours: string[]
  ink: string
  soft: string
  line: string
  surface: string
  raised: string
  font: string
}

/** Reads the tokens as they are now. */
export function readTheme(root: Element = document.documentElement): ChartTheme {
  const style = getComputedStyle(root)
  const token = (name: string) => style.getPropertyValue(name).trim()
  return {
    colours: [1, 2, 3, 4, 5, 6].map((n) => token(`--chart-${n}`)),
    ink: token('--ink'),
    soft: token('--ink-soft'),
    line: token('--line'),
    surface: token('--surface'),
    raised: token('--surface-raised'),
    font: token('--font-text'),
  }
}

/** The defaults that every chart starts from: quiet axes, no frame, no shadow. */
export function baseOption(theme: ChartTheme) {
  const axis = {
    axisLine: { lineStyle: { color: theme.line } },
    axisTick: { show: false },
    axisLabel: { color: theme.soft, fontSize: 12 },
    splitLine: { lineStyle: { color: theme.line } },
    nameTextStyle: { color: theme.soft },
  }
  return {
    color: theme.colours,
    backgroundColor: 'transparent',
    textStyle: { fontFamily: theme.font, color: theme.ink },
    legend: { textStyle: { color: theme.soft }, icon: 'roundRect', itemWidth: 12, itemHeight: 8 },
    tooltip: { backgroundColor: theme.raised, borderColor: theme.line, textStyle: { color: theme.ink, fontSize: 13 }, confine: true },
    categoryAxis: axis,
    valueAxis: { ...axis, axisLine: { show: false } },
    timeAxis: axis,
    line: { symbolSize: 6, lineStyle: { width: 2 } },
  }
}
