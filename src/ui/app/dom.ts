// SPDX-License-Identifier: Apache-2.0
// The little that the page needs of a framework: elements from a call, and keyed clean-up.

export type Child = Node | string | number | null | undefined | false | Child[];
type Value =
  string | number | boolean | null | undefined | ((event: any) => void) | Record<string, string>;

const SVG_TAGS = new Set(["svg", "path", "line", "rect", "circle", "g", "polyline", "text"]);

/** h("button.small", { onclick, title }, "Text"): class names follow the tag. */
export function h(
  tag: string,
  props: Record<string, Value> | null = null,
  ...children: Child[]
): HTMLElement {
  const [name, ...classes] = tag.split(".");
  const isSvg = SVG_TAGS.has(name);
  const element = (
    isSvg
      ? document.createElementNS("http://www.w3.org/2000/svg", name)
      : document.createElement(name || "div")
  ) as HTMLElement;
  if (classes.length) element.setAttribute("class", classes.join(" "));
  for (const [key, value] of Object.entries(props ?? {})) setProp(element, key, value, isSvg);
  append(element, children);
  return element;
}

function setProp(element: HTMLElement, key: string, value: Value, isSvg: boolean): void {
  if (value === null || value === undefined || value === false) return;
  if (typeof value === "function") element.addEventListener(key.slice(2), value);
  else if (key === "style") {
    // Through the object model: the policy forbids style attributes.
    for (const [name, text] of Object.entries(value as Record<string, string>))
      element.style.setProperty(name, text);
  } else if (key === "value" && !isSvg) (element as HTMLInputElement).value = String(value);
  else element.setAttribute(key, value === true ? "" : String(value));
}

export function append(parent: Node, children: Child[]): void {
  for (const child of children) {
    if (Array.isArray(child)) append(parent, child);
    else if (child instanceof Node) parent.appendChild(child);
    else if (child !== null && child !== undefined && child !== false)
      parent.appendChild(document.createTextNode(String(child)));
  }
}

export function replace(parent: Element, ...children: Child[]): void {
  parent.replaceChildren();
  append(parent, children);
}

/** Calls `run` once things have been quiet for `delay` ms. */
export function debounce<A extends unknown[]>(
  delay: number,
  run: (...args: A) => void,
): (...args: A) => void {
  let timer = 0;
  return (...args) => {
    clearTimeout(timer);
    timer = window.setTimeout(() => run(...args), delay);
  };
}

let lastId = 0;
/** An id for aria-labelledby and the like. */
export function freshId(prefix: string): string {
  return `${prefix}-${++lastId}`;
}

/** "Columns of accounts.csv" as the name of a file, without its ending. */
export function fileName(text: string): string {
  return (
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_]+/gu, "-")
      .replace(/^-|-$/g, "") || "unnamed"
  );
}

export function download(name: string, content: string | Blob, type = "text/plain"): void {
  const blob = typeof content === "string" ? new Blob([content], { type }) : content;
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
