// Helpers that create elements and draw. Text from a job is passed as a string and so becomes a text node.

type Attribute = string | number | boolean | undefined
/** `never`: a handler of any event. */
type Handler = (event: never) => unknown
type Child = Node | string | undefined

/** `on…` adds a listener. An attribute that is `false` or `undefined` is left out, `true` has no value. */
export function el<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  attributes: Readonly<Record<string, Attribute | Handler>> = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[Name] {
  const element = document.createElement(name)
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(key.slice('on'.length), value as EventListener)
    else if (value !== undefined && value !== false)
      element.setAttribute(key, value === true ? '' : String(value))
  }
  element.append(...present(children))
  return element
}

export function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value): value is T => value !== undefined)
}

export function section(title: string, ...children: readonly Child[]): HTMLElement {
  return el('section', { 'aria-label': title }, el('h2', {}, title), ...children)
}

export function button(
  label: string,
  onclick: () => void,
  attributes: Readonly<Record<string, string>> = {},
) {
  return el('button', { type: 'button', ...attributes, onclick }, label)
}

/** A small square in the colour of a status. */
export function swatch(status: string): HTMLElement {
  return el('span', { class: `swatch ${status}`, 'aria-hidden': 'true' })
}

/** A colour of the current theme, by its name in page.css. */
export function cssColor(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim()
}

/** A cleared drawing surface that is as wide as the canvas on screen, in CSS pixels. */
export function startDrawing(canvas: HTMLCanvasElement, height: number): CanvasRenderingContext2D {
  const ratio = devicePixelRatio || 1
  canvas.width = canvas.clientWidth * ratio
  canvas.height = height * ratio
  const pen = canvas.getContext('2d')!
  pen.scale(ratio, ratio)
  return pen
}
