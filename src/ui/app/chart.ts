// SPDX-License-Identifier: Apache-2.0
// A chart in its card: the finding as its title, what it shows, the drawing, its reading, the table
// behind it, and the ways out (CSV, PNG). Drawn when it first comes into view.

import { download, h, replace, type Child } from "./dom";
import { init, type Chart, type Option } from "./echarts";
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
  /** Controls between the title and the drawing. */
  controls?: Child;
  /** A data point was clicked. */
  onClick?: (event: { seriesIndex: number; dataIndex: number; seriesName?: string; data: any }) => void;
  /** For what a plain option cannot say, such as brushing. */
  onReady?: (chart: Chart) => void;
}

export interface ChartCard {
  element: HTMLElement;
  /** Draw again, after what `option` reads has changed. */
  redraw: (changes?: Partial<Pick<ChartSpec, "title" | "subtitle" | "reading" | "table">>) => void;
}

let source = "";
/** What stands under every exported picture. */
export function setSource(text: string): void {
  source = text;
}

const reducedMotion = matchMedia("(prefers-reduced-motion: reduce)");

export function card(...children: Child[]): HTMLElement {
  return h("section.card", null, children);
}

export function cardHead(title: Child, subtitle?: Child, actions?: Child): HTMLElement {
  return h("header.card-head", null, h("div", null, h("h3", null, title), subtitle && h("p.subtitle", null, subtitle)), actions && h("div.actions", null, actions));
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
  const subtitle = h("p.subtitle", null, spec.subtitle);
  const reading = h("p.reading", null, spec.reading);
  const canvas = h("div.chart", { style: { height: `${spec.height}px` }, role: "img" }, skeleton(spec.height));
  const tableBox = h("div.chart-table", { hidden: true });
  let chart: Chart | null = null;

  const label = () => canvas.setAttribute("aria-label", `${spec.title}. ${spec.subtitle}. The button Table shows the figures.`);
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
    new ResizeObserver(() => {
      if (!canvas.isConnected) return;
      chart?.resize();
      draw();
    }).observe(canvas);
    canvas.dataset.drawn = "true";
  };
  whenVisible(canvas, start);
  const forgetTheme = onThemeChange(() => (canvas.isConnected ? draw() : forgetTheme()));

  const toggle = h("button.quiet", { type: "button", "aria-expanded": "false", onclick: () => showTable(tableBox.hidden) }, "Table");
  const showTable = (show: boolean) => {
    tableBox.hidden = !show;
    toggle.setAttribute("aria-expanded", String(show));
    replace(tableBox, show && bareTable(spec.table, `${spec.title}: the figures`));
  };
  const actions = [
    toggle,
    h("button.quiet", { type: "button", onclick: () => downloadCsv(spec.table, spec.name) }, "CSV"),
    h("button.quiet", { type: "button", onclick: () => chart && exportPng(chart, spec) }, "PNG"),
  ];
  label();
  const element = card(
    h("header.card-head", null, h("div", null, title, subtitle), h("div.actions", null, actions)),
    spec.controls && h("div.controls", null, spec.controls),
    canvas,
    reading,
    tableBox,
  );
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

/** The drawing with its title, subtitle and source, as a picture to paste somewhere. */
function exportPng(chart: Chart, spec: ChartSpec): void {
  const colours = theme();
  const scale = 2;
  const drawing = new Image();
  drawing.onload = () => {
    const canvas = document.createElement("canvas");
    const margin = 20 * scale;
    canvas.width = drawing.width + 2 * margin;
    canvas.height = drawing.height + 110 * scale;
    const pen = canvas.getContext("2d");
    if (!pen) return;
    const write = (text: string, size: number, weight: number, colour: string, y: number) => {
      pen.font = `${weight} ${size * scale}px system-ui, sans-serif`;
      pen.fillStyle = colour;
      pen.fillText(text, margin, y * scale, drawing.width);
    };
    pen.fillStyle = colours.card;
    pen.fillRect(0, 0, canvas.width, canvas.height);
    write(spec.title, 16, 600, colours.ink, 32);
    write(spec.subtitle, 12, 400, colours.muted, 54);
    pen.drawImage(drawing, margin, 68 * scale);
    write(source, 11, 400, colours.faint, 68 + drawing.height / scale + 24);
    canvas.toBlob((blob) => blob && download(`${spec.name}.png`, blob));
  };
  drawing.src = chart.getDataURL({ pixelRatio: scale, backgroundColor: colours.card });
}

export function scrollTo(element: Element): void {
  element.scrollIntoView({ behavior: reducedMotion.matches ? "auto" : "smooth", block: "start" });
}
