import type { Permission } from '@/bindings/Permission'

/** How much waits on the worklist, in patients. */
export interface Queue {
  due: number
  flagged: number
  overdue: number
  mine: number
}

/** One thing to do now: words `reports.next.<name>`, the route that does it, and how many wait. */
export interface Step {
  name: string
  route: string
  query?: Record<string, string>
  count?: number
}

/** What a person should do next, most urgent first; only what they may do and what has something waiting. */
export function nextSteps(may: (permission: Permission) => boolean, queue: Queue | null, state: { anybody: boolean }): Step[] {
  const steps: Step[] = []
  if (!state.anybody) {
    if (may('import_run')) steps.push({ name: 'first_import', route: 'imports' })
  } else {
    if (may('followup_work') || may('followup_manage')) {
      if (queue?.flagged) steps.push({ name: 'flagged', route: 'followup', query: { filter: 'flagged' }, count: queue.flagged })
      if (queue?.overdue) steps.push({ name: 'overdue', route: 'followup', query: { filter: 'overdue' }, count: queue.overdue })
    }
    if (may('expert_reply')) steps.push({ name: 'answer', route: 'followup.consults' })
    if (may('import_run')) steps.push({ name: 'import', route: 'imports' })
    if (may('report_export')) steps.push({ name: 'report', route: 'reports.figures' })
  }
  if (may('staff_edit')) steps.push({ name: 'people', route: 'settings.people' })
  if (may('backup')) steps.push({ name: 'backup', route: 'settings.backup' })
  return steps
}
