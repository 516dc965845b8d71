// SPDX-License-Identifier: Apache-2.0
// A chart in its card: the finding as its title, what it shows, the drawing, its reading, the table
// behind it, and the ways out (CSV, PNG). Drawn when it first comes into view.

import { remember, remembered } from "./address";
import { freshId, h, replace, type Child } from "./dom";
import { init, type Chart, type Option } from "./echarts";
import { PICTURE_SCALE, savePicture, sourceText, type LegendEntry } from "./picture";
import { skeleton } from "./states";
import { bareTable, downloadCsv, type TableSpec } from "./table";
import { onThemeChange, theme } from "./theme";

export interface ChartSpec {
  /** The finding, in words. */
  title: string;
  /** What, unit, n. */
  subtitle: string;
  /** How to read it, in one line: no chart is left to explain itself. */
  reading: string;
  /** File name of the exports. */
  name: string;
  height: number;
  option: () => Option;
  /** The figures behind it. */
  table: TableSpec;
  /** The groups that the colours stand for, where they stand outside the drawing: a picture has
   * them too. */
  legend?: () => LegendEntry[];
  /** Controls between the title and the drawing. */
  controls?: Child;
  /** A data point was clicked. */
  onClick?: (event: {
    seriesIndex: number;
    dataIndex: number;
    seriesName?: string;
    data: any;
  }) => void;
  /** For what a plain option cannot say, such as brushing. */
  onReady?: (chart: Chart) => void;
}

export interface ChartCard {
  element: HTMLElement;
  /** Draw again, after what `option` reads has changed. */
  redraw: (changes?: Partial<Pick<ChartSpec, "title" | "subtitle" | "reading" | "table">>) => void;
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

/** A card is called by its heading. */
export function card(...children: Child[]): HTMLElement {
  const element = h("section.card", null, children);
  const heading = element.querySelector("h3");
  if (heading) {
    heading.id ||= freshId("card");
    element.setAttribute("aria-labelledby", heading.id);
  }
  return element;
}

export function cardHead(title: Child, subtitle?: Child, actions?: Child): HTMLElement {
  return h(
    "header.card-head",
    null,
    h(
      "div",
      null,
      h("h3", null, title),
      subtitle && h("p.subtitle", { title: sourceText() }, subtitle),
    ),
    actions && h("div.actions", null, actions),
  );
}

/** Settings that every chart starts from. */
export function baseOption(): Option {
  const colours = theme();
  return {
    animation: false,
    textStyle: { fontFamily: "system-ui, sans-serif", fontSize: 12, color: colours.muted },
    backgroundColor: "transparent",
    aria: { enabled: false },
  };
}

export function chartCard(spec: ChartSpec): ChartCard {
  const title = h("h3", null, spec.title);
  const subtitle = h("p.subtitle", { title: sourceText() }, spec.subtitle);
  const reading = h("p.reading", null, spec.reading);
  const canvas = h(
    "div.chart",
    { style: { height: `${spec.height}px` }, role: "img" },
    skeleton(spec.height),
  );
  const tableBox = h("div.chart-table", { hidden: true });
  let chart: Chart | null = null;

  const label = () => {
    canvas.setAttribute(
      "aria-label",
      `${spec.title}. ${spec.subtitle}. The button Table shows the figures.`,
    );
    actions.forEach((button) =>
      button.setAttribute("aria-label", `${button.textContent} of ${spec.title}`),
    );
    link.setAttribute("aria-label", `Link to ${spec.title}`);
  };
  const draw = () => {
    if (!chart) return;
    chart.setOption({ ...baseOption(), ...spec.option() }, { notMerge: true });
    spec.onReady?.(chart);
  };
  const start = () => {
    replace(canvas);
    chart = init(canvas, null, { renderer: "canvas" });
    chart.on("click", (event: any) => spec.onClick?.(event));
    draw();
    // The observer also tells of the size that it finds.
    let size = `${canvas.clientWidth} ${canvas.clientHeight}`;
    new ResizeObserver(() => {
      const now = `${canvas.clientWidth} ${canvas.clientHeight}`;
      if (!canvas.isConnected || now === size) return;
      size = now;
      chart?.resize();
      draw();
    }).observe(canvas);
    canvas.dataset.drawn = "true";
  };
  whenVisible(canvas, () => inTurn(() => canvas.isConnected && start()));
  const forgetTheme = onThemeChange(() => (canvas.isConnected ? draw() : forgetTheme()));

  const toggle = h(
    "button.quiet",
    { type: "button", "aria-expanded": "false", onclick: () => showTable(tableBox.hidden) },
    "Table",
  );
  const showTable = (show: boolean) => {
    tableBox.hidden = !show;
    toggle.setAttribute("aria-expanded", String(show));
    replace(tableBox, show && bareTable(spec.table, `${spec.title}: the figures`));
  };
  const link = h(
    "a.quiet",
    {
      href: "#",
      title: "Puts this chart into the address, to copy",
      onclick: (event: Event) => (event.preventDefault(), remember("chart", spec.name)),
    },
    "Link",
  );
  const actions = [
    toggle,
    h("button.quiet", { type: "button", onclick: () => downloadCsv(spec.table, spec.name) }, "CSV"),
    h("button.quiet", { type: "button", onclick: () => chart && exportPng(chart, spec) }, "PNG"),
  ];
  label();
  const element = card(
    h(
      "header.card-head",
      null,
      h("div", null, title, subtitle),
      h("div.actions", null, link, actions),
    ),
    spec.controls && h("div.controls", null, spec.controls),
    canvas,
    reading,
    tableBox,
  );
  if (remembered("chart") === spec.name)
    requestAnimationFrame(() => element.isConnected && element.scrollIntoView({ block: "start" }));
  const redraw: ChartCard["redraw"] = (changes) => {
    Object.assign(spec, changes);
    replace(title, spec.title);
    replace(subtitle, spec.subtitle);
    replace(reading, spec.reading);
    label();
    draw();
    if (!tableBox.hidden) showTable(true);
  };
  return { element, redraw };
}

const waiting: (() => unknown)[] = [];
let isDrawing = false;

/** One chart a frame: the first is seen before the next is drawn, and a click between them is
 * answered. */
function inTurn(run: () => unknown): void {
  if (isDrawing) return void waiting.push(run);
  isDrawing = true;
  const after = () =>
    requestAnimationFrame(() =>
      setTimeout(() => {
        const next = waiting.shift();
        isDrawing = next !== undefined;
        if (!next) return;
        after();
        next();
      }),
    );
  after();
  run();
}

function whenVisible(element: Element, run: () => void): void {
  const observer = new IntersectionObserver(
    (entries) => {
      if (!entries.some((entry) => entry.isIntersecting)) return;
      observer.disconnect();
      run();
    },
    { rootMargin: "300px" },
  );
  observer.observe(element);
}

/** The drawing with its title, subtitle, colours and source, as a picture to paste somewhere. */
function exportPng(chart: Chart, spec: ChartSpec): void {
  const colours = theme();
  const drawing = new Image();
  drawing.onload = () => {
    const [width, height] = [drawing.width / PICTURE_SCALE, drawing.height / PICTURE_SCALE];
    const legend = spec.legend?.() ?? [];
    savePicture(spec.name, width, (on) => {
      on.text(spec.title, 16, 600, colours.ink);
      on.text(spec.subtitle, 12, 400, colours.muted);
      if (legend.length) on.legend(legend, colours.ink);
      on.y += 12;
      on.drawing(height, (pen, x, y) => pen.drawImage(drawing, x, y, width, height));
    });
  };
  drawing.src = chart.getDataURL({ pixelRatio: PICTURE_SCALE, backgroundColor: colours.card });
}

export function scrollTo(element: Element): void {
  element.scrollIntoView({ behavior: reducedMotion.matches ? "auto" : "smooth", block: "start" });
}
