/** Scales the page with CSS, for hosts whose own zoom cannot be set. */
export function zoomByStyle(factor: number): Promise<void> {
  document.documentElement.style.setProperty('zoom', factor === 1 ? '' : String(factor))
  return Promise.resolve()
}
