import type { ResponseOf } from '@/backend'
import { stepFigure } from './charts'
import type { Cell } from './queries'

type Figures = ResponseOf<'reports_figures'>
type Figure = Figures['figures'][number]

/** Reads `3-10`: Wednesday, ten o'clock. */
export function readCell(text: string): Cell | null {
  const [weekday, hour] = text.split('-').map(Number)
  const fits = /^\d-\d{1,2}$/.test(text) && weekday !== undefined && hour !== undefined && weekday >= 1 && weekday <= 7 && hour < 24
  return fits ? { weekday, hour } : null
}

/** The figure whose rows are asked for: one of the summary, a bar of the funnel, or a cell of the map. */
export function figureBehind(figures: Figures, code: string, cell: Cell | null): Figure | null {
  const found = figures.figures.find((figure) => figure.code === code)
  if (found && cell && code === 'connection_by_call') {
    const hour = figures.answering.find((one) => one.weekday === cell.weekday && one.hour === cell.hour)
    return { code: found.code, numerator: hour?.connected ?? 0, denominator: hour?.calls ?? 0 }
  }
  if (found) return found
  const due = figures.funnel.find((one) => one.step === 'due')
  const step = figures.funnel.find((one) => one.step !== 'due' && stepFigure(one.step) === code)
  return due && step ? { code: stepFigure(step.step), numerator: step.patients, denominator: due.patients } : null
}
