// SPDX-License-Identifier: Apache-2.0
// Followers against engagement: a point an account, above the density of all when there are more
// than can be drawn, with the fitted line. Select a part to list it; click a point to ask.

import { remember, remembered } from "../../address";
import { decades, grid, logAxis, scaleAxis, tipRows, tooltip } from "../../axes";
import { card, cardHead, chartCard, type ChartCard } from "../../chart";
import { segments, toggleLegend, zoomButtons } from "../../controls";
import { h, replace, type Child } from "../../dom";
import type { Chart, Option } from "../../echarts";
import {
  compact,
  humanName,
  percent,
  plain,
  plural,
  points,
  sentence,
  whole,
  withUnit,
} from "../../format";
import type { LegendEntry } from "../../picture";
import { isThere, type Density, type GroupName, type Report, type Slope } from "../../report";
import { partial } from "../../states";
import { askAbout, clickHint, handleLink, type TableSpec } from "../../table";
import { groupColour, orderedColours, rampAt, theme } from "../../theme";
import { selectionPanel, type Area } from "./selection";

/** A custom series has no level unless told, and brushing, which draws it anew, gives it none:
 * ECharts 6.1 warns then. */
const NO_LEVEL = 0;

type Colouring = GroupName | "score" | "none";

interface View {
  colouring: Colouring;
  hidden: Set<number>;
  selecting: boolean;
  selected: Area | null;
}

export function scatterCard(report: Report): Child {
  const { scatter, measure, slope } = report.explore;
  if (scatter.handle.length === 0 && scatter.followers.length === 0)
    return card(
      cardHead("Size against engagement"),
      partial("Needs followers and one of: engagement rate, likes, views, posts."),
    );
  const view: View = {
    colouring: firstColouring(report),
    hidden: new Set(),
    selecting: false,
    selected: null,
  };
  const legend = h("div");
  const panel = selectionPanel(
    report,
    (indices) => scatterTable(report, indices),
    (area) => {
      view.selected = area;
      if (drawn) markSelected(drawn, report, area);
    },
  );
  const options = colourings(report);
  let made: ChartCard;
  let drawn: Chart | null = null;
  const drawLegend = () =>
    replace(
      legend,
      legendOf(report, view, () => made.redraw()),
    );
  const selectButton = h(
    "button.quiet",
    {
      type: "button",
      "aria-pressed": "false",
      onclick: () => {
        view.selecting = !view.selecting;
        selectButton.setAttribute("aria-pressed", String(view.selecting));
        selectButton.textContent = view.selecting ? "Stop selecting" : "Select a part";
        panel.fields.hidden = !view.selecting;
        view.selected = null;
        panel.show(null);
        made.redraw();
      },
    },
    "Select a part",
  );
  const controls = [
    options.length > 1 &&
      segments("colour by", options, view.colouring, (value) => {
        view.colouring = value;
        remember("colour", value);
        view.hidden.clear();
        drawLegend();
        made.redraw();
      }),
    selectButton,
    panel.fields,
    zoomButtons(
      () => drawn,
      () => made.redraw(),
    ),
    legend,
  ];
  const onReady = (chart: Chart) => {
    drawn = chart;
    if (!view.selecting) return;
    chart.dispatchAction({
      type: "takeGlobalCursor",
      key: "brush",
      brushOption: { brushType: "rect", brushMode: "single" },
    });
    chart.off("brushEnd");
    chart.on("brushEnd", (event: any) => {
      const [followers, measured] = event.areas?.[0]?.coordRange ?? [];
      view.selected = followers && measured ? { followers, measure: measured } : null;
      panel.show(view.selected);
    });
    if (view.selected) markSelected(chart, report, view.selected);
  };
  made = chartCard({
    title: isThere(slope)
      ? slopeTitle(humanName(measure.name), slope)
      : `${sentence(humanName(measure.name))} by number of followers`,
    subtitle: `${humanName(measure.name)} against followers, both on log scales; ${pointsText(report)}`,
    reading: isThere(slope)
      ? `${slopeText(report, slope)}${clickHint()}`
      : `Each point is an account.${clickHint()}`,
    name: "followers-and-engagement",
    height: 460,
    controls,
    legend: () => legendEntries(report, view),
    table: scatterTable(
      report,
      scatter.handle.map((_, i) => i),
    ),
    option: () => scatterOption(report, view),
    onReady,
    onClick: (event) => {
      const handle = event.data?.[2] !== undefined ? scatter.handle[event.data[2]] : null;
      if (handle && !view.selecting) askAbout(handle);
    },
  });
  drawLegend();
  made.element.append(panel.found);
  return made.element;
}

/** "24 % lower", "× 3.2" for ten times the followers. */
function tenfoldText(tenfold: number): string {
  if (tenfold >= 2) return `× ${plain(tenfold)}`;
  return `${percent(Math.abs(1 - tenfold), 0)} ${tenfold < 1 ? "lower" : "higher"}`;
}

function slopeTitle(what: string, { tenfold, tenfold_low, tenfold_high }: Slope): string {
  if (tenfold_low <= 1 && tenfold_high >= 1)
    return `${sentence(what)} hardly goes with size: it may as well be the same at any`;
  return `${sentence(what)} ${tenfold < 1 ? "falls" : "grows"} with size: ${tenfoldText(tenfold)} for ten times the followers`;
}

/** Below this share explained, size tells little of one account. */
const LITTLE = 0.1;
/** A rate that falls nearly as followers grow: what is counted hardly depends on them. */
const STEEP = 0.2;

function slopeText({ explore: { measure } }: Report, slope: Slope): string {
  const what = humanName(measure.name);
  const { tenfold, tenfold_low, tenfold_high, r2 } = slope;
  const line = `Line: what is usual at a size; ten times the followers go with ${plain(tenfold)} times the ${what} (95 %: ${plain(tenfold_low)} to ${plain(tenfold_high)}).`;
  const explained =
    r2 < LITTLE
      ? ` Size explains only ${percent(r2, 0)} of the spread: it says little of one account.`
      : ` Size explains ${percent(r2, 0)} of the spread.`;
  const picked =
    measure.unit === "fraction" && tenfold_high < STEEP
      ? " So steep a fall means that engagement hardly grows with followers, as where a table lists accounts for their engagement."
      : "";
  return line + explained + picked;
}

/** As if it had been drawn; an end that is not given is that of the accounts. */
function markSelected(chart: Chart, { explore: { scatter } }: Report, area: Area | null): void {
  const bounded = ([from, to]: [number, number], values: (number | null)[]) => {
    const known = values.filter((value): value is number => value !== null);
    const least = known.reduce((a, b) => Math.min(a, b), Infinity);
    const most = known.reduce((a, b) => Math.max(a, b), -Infinity);
    return [Math.max(from, least), Math.min(to, most)];
  };
  const coordRange = area && [
    bounded(area.followers, scatter.followers),
    bounded(area.measure, scatter.measure),
  ];
  const isSome = coordRange !== null && coordRange.every(([from, to]) => from <= to);
  chart.dispatchAction({
    type: "brush",
    areas: isSome ? [{ brushType: "rect", xAxisIndex: 0, yAxisIndex: 0, coordRange }] : [],
  });
}

function pointsText({ explore: { scatter } }: Report): string {
  return scatter.shown < scatter.n
    ? `${whole(scatter.shown)} of ${plural(scatter.n, "account")} as points (${scatter.text}), all of them as shading`
    : plural(scatter.n, "account");
}

function colourings({ groups, explore: { scatter } }: Report): [Colouring, string][] {
  const options: [Colouring, string][] = [];
  if (groups.category.length > 1) options.push(["category", "category"]);
  if (groups.tier.length > 1) options.push(["tier", "size"]);
  if (groups.country.length > 1) options.push(["country", "country"]);
  if (scatter.score.length > 0) options.push(["score", "score"]);
  return options.length ? options : [["none", "nothing"]];
}

function firstColouring(report: Report): Colouring {
  const options = colourings(report);
  return (options.find(([colouring]) => colouring === remembered("colour")) ?? options[0])[0];
}

/** The place in the palette of each group; -1, grey, is "other" and what is past the palette. */
function slotsOf(report: Report, colouring: Colouring): number[] {
  if (colouring === "score" || colouring === "none") return [];
  let next = 0;
  return report.groups[colouring].map((name) =>
    colouring !== "tier" && (/^\(?others?\)?$/i.test(name) || next >= theme().categories.length)
      ? -1
      : next++,
  );
}

/** What the colours stand for; nothing where they stand for an amount. */
function legendEntries(report: Report, { colouring }: View): LegendEntry[] {
  if (colouring === "none" || colouring === "score") return [];
  const names = report.groups[colouring];
  const tierColours = orderedColours(names.length);
  const slots = slotsOf(report, colouring);
  const shown = names
    .map((name, i) => ({ name, group: slots[i] }))
    .filter((entry) => entry.group >= 0);
  const grey = names.filter((_, i) => slots[i] < 0);
  const entries = shown.map(({ name, group }) => ({
    name,
    colour: colouring === "tier" ? tierColours[group] : `var(--series-${group})`,
  }));
  if (grey.length)
    entries.push({
      name: grey.length === 1 ? grey[0].replace(/[()]/g, "") : "others",
      colour: "var(--series-other)",
    });
  return entries;
}

function legendOf(report: Report, view: View, onChange: () => void): Child {
  if (view.colouring === "none") return null;
  if (view.colouring === "score")
    return h(
      "span.row.small.muted",
      null,
      "low score",
      theme().amounts.map((colour) => h("i.swatch", { style: { background: colour } })),
      "high",
    );
  return toggleLegend(legendEntries(report, view), view.hidden, onChange);
}

function scatterOption(report: Report, view: View): Option {
  const { scatter, measure, density } = report.explore;
  const colours = theme();
  const tierColours = orderedColours(report.groups.tier.length);
  const grouped =
    view.colouring === "score" || view.colouring === "none" ? null : scatter[view.colouring];
  const slots = slotsOf(report, view.colouring);
  const entriesShown = slots.filter((slot) => slot >= 0).length;
  const [low, high] = scoreSpan(scatter.score);
  const ramp = colours.amounts.slice(1);
  const groupColours = grouped ? slots.map(colourOfGroup) : [];
  const colourOf = (i: number): string => {
    if (view.colouring === "score")
      return scatter.score[i] === null
        ? colours.other
        : rampAt(ramp, (scatter.score[i]! - low) / (high - low || 1));
    return grouped ? (groupColours[grouped[i]] ?? colours.other) : colours.accent;
  };
  function colourOfGroup(group: number): string {
    if (group < 0) return colours.other;
    return view.colouring === "tier" ? tierColours[group] : groupColour(group);
  }
  const isShown = (i: number) => {
    if (!grouped) return true;
    const group = slots[grouped[i]] ?? -1;
    return !view.hidden.has(group < 0 ? entriesShown : group);
  };
  const data: number[][] = [];
  scatter.followers.forEach(
    (followers, i) => isShown(i) && data.push([followers, scatter.measure[i], i]),
  );
  const many = data.length > 1500;
  return {
    grid: grid(),
    xAxis: logAxis("followers", "accounts", decades(scatter.followers)),
    yAxis: scaleAxis(measure.scale, humanName(measure.name), measure.unit, {
      nameGap: 52,
      ...(measure.scale === "log" ? decades(scatter.measure) : {}),
    }),
    brush: view.selecting
      ? {
          xAxisIndex: 0,
          yAxisIndex: 0,
          toolbox: [],
          throttleType: "debounce",
          throttleDelay: 150,
          outOfBrush: { colorAlpha: 0.12 },
          brushStyle: { borderColor: colours.accent, color: "rgba(86,180,233,0.12)" },
        }
      : undefined,
    dataZoom: view.selecting
      ? []
      : [
          {
            type: "inside",
            xAxisIndex: 0,
            zoomOnMouseWheel: "ctrl",
            moveOnMouseMove: true,
            filterMode: "none",
          },
          {
            type: "inside",
            yAxisIndex: 0,
            zoomOnMouseWheel: "ctrl",
            moveOnMouseMove: true,
            filterMode: "none",
          },
        ],
    tooltip: tooltip((event) => {
      const i = event.data?.[2];
      if (i === undefined || event.seriesName !== "accounts") return null;
      const rows: [string, Child][] = [
        ["followers", compact(scatter.followers[i])],
        [humanName(measure.name), withUnit(scatter.measure[i], measure.unit)],
      ];
      for (const by of ["category", "country"] as const)
        if (report.groups[by][scatter[by][i]]) rows.push([by, report.groups[by][scatter[by][i]]]);
      if (scatter.score[i] != null) rows.push(["score", points(scatter.score[i])]);
      return tipRows(scatter.handle[i] ?? "account", rows);
    }),
    series: [
      isThere(density) && densitySeries(density),
      ...slopeSeries(report),
      {
        name: "accounts",
        type: "scatter",
        progressive: 0, // a picture saved meanwhile would lack those still to come
        z: 3,
        data,
        symbolSize: many ? 5 : 7,
        cursor: "pointer",
        itemStyle: {
          color: (item: { data: number[] }) => colourOf(item.data[2]),
          opacity: many ? 0.5 : 0.65,
        },
        emphasis: { itemStyle: { opacity: 1, borderColor: colours.ink, borderWidth: 1 } },
      },
    ].filter(Boolean),
  };
}

/** From the 2nd to the 98th percentile: a few strays do not wash the ramp out. */
function scoreSpan(scores: (number | null)[]): [number, number] {
  const sorted = scores.filter((score): score is number => score !== null).sort((a, b) => a - b);
  if (sorted.length === 0) return [0, 1];
  return [sorted[Math.floor(sorted.length * 0.02)], sorted[Math.ceil(sorted.length * 0.98) - 1]];
}

function densitySeries(density: Density): object {
  const colours = theme();
  const most = Math.max(...density.count);
  return {
    name: "density",
    type: "custom",
    silent: true,
    z: 1,
    zlevel: NO_LEVEL,
    clip: true,
    data: density.count.map((_, i) => [
      density.x_edges[density.x[i]],
      density.y_edges[density.y[i]],
    ]),
    renderItem: (item: { dataIndex: number }, api: any) => {
      const i = item.dataIndex;
      const [x1, y1] = api.coord([density.x_edges[density.x[i]], density.y_edges[density.y[i]]]);
      const [x2, y2] = api.coord([
        density.x_edges[density.x[i] + 1],
        density.y_edges[density.y[i] + 1],
      ]);
      const shade = Math.log1p(density.count[i]) / Math.log1p(most);
      return {
        type: "rect",
        shape: { x: x1, y: y2, width: x2 - x1 + 0.5, height: y1 - y2 + 0.5 },
        style: { fill: rampAt(colours.amounts, shade * 0.6), opacity: 0.9 },
      };
    },
  };
}

function slopeSeries({ explore: { slope } }: Report): object[] {
  if (!isThere(slope)) return [];
  const colours = theme();
  const { band } = slope;
  const corner = band.followers.map((x, i) => [x, band.low[i], band.high[i]]);
  return [
    {
      name: "band",
      type: "custom",
      silent: true,
      z: 4,
      zlevel: NO_LEVEL,
      clip: true,
      data: [[band.followers[0], band.fit[0]]],
      renderItem: (_: unknown, api: any) => {
        const upper = corner.map(([x, , high]) => api.coord([x, high]));
        const lower = corner.map(([x, low]) => api.coord([x, low])).reverse();
        return {
          type: "polygon",
          shape: { points: [...upper, ...lower] },
          style: { fill: colours.ink, opacity: 0.18 },
        };
      },
    },
    {
      name: "fit",
      type: "line",
      silent: true,
      z: 4,
      data: band.followers.map((x, i) => [x, band.fit[i]]),
      showSymbol: false,
      lineStyle: { color: colours.ink, width: 1.5 },
      itemStyle: { color: colours.ink },
    },
  ];
}

function scatterTable(report: Report, indices: number[]): TableSpec {
  const { scatter, measure } = report.explore;
  const hasScore = scatter.score.length > 0;
  return {
    columns: [
      { title: "account", show: handleLink },
      { title: "followers", show: (n) => compact(n as number) },
      { title: humanName(measure.name), show: (value) => withUnit(value, measure.unit) },
      { title: "size" },
      { title: "category" },
      { title: "country" },
      ...(hasScore ? [{ title: "score", show: (value: unknown) => points(value as number) }] : []),
    ],
    rows: indices.map((i) => [
      scatter.handle[i],
      scatter.followers[i],
      scatter.measure[i],
      report.groups.tier[scatter.tier[i]] ?? null,
      report.groups.category[scatter.category[i]] ?? null,
      report.groups.country[scatter.country[i]] ?? null,
      ...(hasScore ? [scatter.score[i]] : []),
    ]),
  };
}
