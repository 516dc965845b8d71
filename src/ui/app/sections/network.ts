// SPDX-License-Identifier: Apache-2.0
// Communities, the accounts in their middle and between them, and the links that may come next.

import type { Context } from "../context";
import { grid, tipRows, tooltip, valueAxis } from "../axes";
import { card, cardHead, chartCard, type ChartCard } from "../chart";
import { toggleLegend, zoomButtons } from "../controls";
import { append, h, replace, type Child } from "../dom";
import type { Chart, Option } from "../echarts";
import { compact, percent, plain, plural, points, whole } from "../format";
import type { LegendEntry } from "../picture";
import { isThere, type Network, type NetworkAccount, type NetworkLinks } from "../report";
import { note } from "../states";
import { askAbout, clickHint, handleLink, table } from "../table";
import { groupColour, theme } from "../theme";
import { absentSection } from "./partial";

const LEAD =
  "Who mentions, tags and resembles whom: communities, the bridges between them, and their themes.";

export function network(into: HTMLElement, { report }: Context): void {
  const found = report.network;
  if (!isThere(found)) return absentSection(into, "Network", LEAD, found, "network");
  append(into, [
    h("div.section-head", null, h("h2", null, "Network"), h("p.lead", null, LEAD)),
    h(
      "div.cards",
      null,
      mapCard(found),
      communitiesCard(found),
      homophilyCard(found),
      accountsCard(found, "hubs"),
      accountsCard(found, "bridges"),
      linksCard(found.collaborations, "Collaborations"),
      linksCard(found.brands, "Brands"),
    ),
  ]);
}

/** Room to drag into, as a share of the drawing; none on glass, where a finger that passes over
 * it scrolls the page. */
const ROOM = matchMedia("(pointer: coarse)").matches ? 0 : 0.5;

const NO_COMMUNITY = "in no larger community";

function communityName(found: Network, index: number): string {
  return index < 0 ? NO_COMMUNITY : found.communities[index].name;
}

const NAMED = 8;
/** Half of the accounts within this share of the radius. */
const KNOT = 0.3;
/** How far from their own distances to evenly filled ones those of a knot are moved: the rest
 * keeps a meaning. */
const EVENED = 0.9;

function mapCard(found: Network): Child {
  const { drawn } = found;
  const strength =
    found.modularity > 0.5
      ? "clearly apart"
      : found.modularity > 0.3
        ? "apart, with many edges between them"
        : "hardly apart";
  const hidden = new Set<number>();
  const legend = h("div");
  let chart: Chart | null = null;
  const made: ChartCard = chartCard({
    title: `${plural(found.n_communities, "community", "communities")}, ${strength}`,
    subtitle: `${whole(found.links)} ${found.kind === "edges" ? "real edges" : `likenesses (each account and its nearest ${found.neighbours})`} among ${plural(found.n, "account")}${(found.of ?? 0) > found.n ? ` drawn from ${whole(found.of)}` : ""}; modularity ${points(found.modularity, 2)}; ${whole(drawn.handle.length)} shown`,
    reading: `Joined accounts lie near each other; the size of a point grows with its PageRank, a ring marks a bridge. Drag to move, Ctrl and wheel to zoom (two fingers on glass, then one moves).${clickHint()}`,
    name: "network",
    height: 520,
    controls: [
      zoomButtons(
        () => chart,
        () => made.redraw(),
      ),
      legend,
    ],
    legend: () => legendOf(found),
    table: {
      columns: [
        { title: "account", show: handleLink },
        { title: "community" },
        { title: "followers", show: (n) => compact(n as number) },
        { title: "edges", show: (n) => whole(n as number) },
        { title: "PageRank", show: (v) => plain(v as number) },
      ],
      rows: drawn.handle.map((handle, i) => [
        handle,
        communityName(found, drawn.community[i]),
        drawn.followers[i],
        drawn.degree[i],
        drawn.pagerank[i],
      ]),
    },
    option: () => mapOption(found, hidden),
    onReady: (ready) => (chart = ready),
    onClick: (event) => {
      const handle = event.seriesName === "accounts" ? drawn.handle[event.data[2]] : null;
      if (handle) askAbout(handle);
    },
  });
  replace(
    legend,
    toggleLegend(legendOf(found), hidden, () => made.redraw()),
  );
  return made.element;
}

/** The place of a community in the legend: those past the palette share one, and so do the
 * accounts of none. */
function placeOf(found: Network, community: number): number {
  const named = Math.min(found.communities.length, NAMED);
  if (community < 0) return found.communities.length > NAMED ? named + 1 : named;
  return Math.min(community, named);
}

function legendOf(found: Network): LegendEntry[] {
  const entries = found.communities
    .slice(0, NAMED)
    .map(({ name }, i) => ({ name, colour: `var(--series-${i})` }));
  if (found.communities.length > NAMED)
    entries.push({
      name: `${plural(found.communities.length - NAMED, "smaller one")}`,
      colour: "var(--series-other)",
    });
  if (found.drawn.community.some((community) => community < 0))
    entries.push({ name: NO_COMMUNITY, colour: "var(--muted)" });
  return entries;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0.5;
}

/** Where hubs hold most accounts together, the layout is a knot in a wide ring. What lies inside
 * keeps its direction and its order from the middle, and gets the room that its number
 * deserves. */
function spreadOut(drawn: Network["drawn"]): { x: number[]; y: number[] } {
  const n = drawn.x.length;
  const [cx, cy] = [median(drawn.x), median(drawn.y)];
  const far = drawn.x.map((x, i) => Math.hypot(x - cx, drawn.y[i] - cy));
  const order = far.map((_, i) => i).sort((a, b) => far[a] - far[b]);
  const widest = far[order[n - 1]] || 1;
  if (n < 50 || far[order[Math.floor(n / 2)]] > KNOT * widest) return drawn;
  const factor = new Array<number>(n);
  order.forEach(
    (i, rank) =>
      (factor[i] =
        far[i] > 0
          ? (EVENED * 0.5 * Math.sqrt((rank + 1) / n) + (1 - EVENED) * far[i]) / far[i]
          : 1),
  );
  return {
    x: drawn.x.map((x, i) => 0.5 + (x - cx) * factor[i]),
    y: drawn.y.map((y, i) => 0.5 + (y - cy) * factor[i]),
  };
}

function mapOption(found: Network, hidden: Set<number>): Option {
  const { drawn } = found;
  const colours = theme();
  const isShown = (i: number) => !hidden.has(placeOf(found, drawn.community[i]));
  const bridges = new Set(found.bridges.map((account) => account.handle));
  const bare = {
    axisLabel: { show: false },
    splitLine: { show: false },
    axisLine: { show: false },
    axisTick: { show: false },
    min: -ROOM,
    max: 1 + ROOM,
  };
  const view = {
    type: "inside",
    zoomOnMouseWheel: "ctrl",
    moveOnMouseMove: true,
    filterMode: "none",
    start: (100 * ROOM) / (1 + 2 * ROOM),
    end: (100 * (1 + ROOM)) / (1 + 2 * ROOM),
  };
  const { x, y } = spreadOut(drawn);
  // Those that have a colour of their own lie above the grey.
  const depth = (i: number) => Number(drawn.community[i] >= 0 && drawn.community[i] < NAMED);
  const places = x.map((at, i) => [at, y[i], i]).sort((a, b) => depth(a[2]) - depth(b[2]));
  const edges: number[][] = [];
  drawn.edges.from.forEach((from, i) => {
    const to = drawn.edges.to[i];
    if (isShown(from) && isShown(to)) edges.push([x[from], y[from], x[to], y[to]]);
  });
  const sizeOf = ([, , i]: number[]) => Math.min(18, 3 + 2 * Math.sqrt(drawn.pagerank[i]));
  const colourOf = (i: number) =>
    drawn.community[i] < 0 ? colours.muted : groupColour(drawn.community[i]);
  return {
    grid: grid(),
    xAxis: valueAxis("", "", bare),
    yAxis: valueAxis("", "", bare),
    dataZoom: [
      { ...view, xAxisIndex: 0 },
      { ...view, yAxisIndex: 0 },
    ],
    tooltip: tooltip((event) =>
      event.seriesName === "accounts"
        ? tipRows(drawn.handle[event.data[2]] ?? "account", [
            ["community", communityName(found, drawn.community[event.data[2]])],
            ["followers", compact(drawn.followers[event.data[2]])],
            ["edges", whole(drawn.degree[event.data[2]])],
          ])
        : null,
    ),
    series: [
      {
        name: "edges",
        type: "custom",
        silent: true,
        clip: true,
        progressive: 0,
        data: edges,
        renderItem: (_: unknown, api: any) => {
          const [a, b] = [
            api.coord([api.value(0), api.value(1)]),
            api.coord([api.value(2), api.value(3)]),
          ];
          return {
            type: "line",
            shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] },
            style: { stroke: colours.muted, lineWidth: 0.5, opacity: 0.25 },
          };
        },
      },
      {
        name: "accounts",
        type: "scatter",
        progressive: 0, // in pieces the coloured, which come last, would be long in coming
        data: places.filter(([, , i]) => isShown(i)),
        symbolSize: sizeOf,
        itemStyle: { color: (item: { data: number[] }) => colourOf(item.data[2]), opacity: 0.8 },
      },
      {
        name: "bridges",
        type: "scatter",
        silent: true,
        data: places.filter(([, , i]) => isShown(i) && bridges.has(drawn.handle[i] ?? "")),
        symbolSize: (item: number[]) => sizeOf(item) + 6,
        itemStyle: { color: "transparent", borderColor: colours.ink, borderWidth: 1.5 },
      },
      nameSeries(namesOf(found, { x, y }, isShown)),
    ],
  };
}

interface Name {
  text: string;
  x: number;
  y: number;
}

/** The communities with a colour of their own, at the median place of their accounts. */
function namesOf(
  found: Network,
  { x, y }: { x: number[]; y: number[] },
  isShown: (i: number) => boolean,
): Name[] {
  return found.communities.slice(0, NAMED).flatMap(({ name }, index) => {
    const members = x
      .map((_, i) => i)
      .filter((i) => found.drawn.community[i] === index && isShown(i));
    return members.length
      ? [
          {
            text: name.length > 30 ? `${name.slice(0, 29)}…` : name,
            x: median(members.map((i) => x[i])),
            y: median(members.map((i) => y[i])),
          },
        ]
      : [];
  });
}

/** Heights at which names of one line do not cover each other, from the top down. */
function spacedOut(places: number[][]): number[] {
  const [line, wide] = [16, 170];
  const heights = places.map(([, y]) => y);
  const done: number[] = [];
  for (const i of places.map((_, index) => index).sort((a, b) => places[a][1] - places[b][1])) {
    for (const j of done)
      if (Math.abs(places[i][0] - places[j][0]) < wide && Math.abs(heights[i] - heights[j]) < line)
        heights[i] = heights[j] + line;
    done.push(i);
  }
  return heights;
}

function nameSeries(names: Name[]): object {
  const colours = theme();
  return {
    name: "names",
    type: "custom",
    silent: true,
    z: 6,
    data: names.map(({ x, y }) => [x, y]),
    renderItem: (item: { dataIndex: number }, api: any) => {
      const places = names.map(({ x, y }) => api.coord([x, y]) as number[]);
      return {
        type: "text",
        style: {
          text: names[item.dataIndex].text,
          x: places[item.dataIndex][0],
          y: spacedOut(places)[item.dataIndex],
          align: "center",
          verticalAlign: "middle",
          fill: colours.ink,
          stroke: colours.card,
          lineWidth: 4,
          font: "600 12px system-ui, sans-serif",
        },
      };
    },
  };
}

function communitiesCard(found: Network): Child {
  const themes = (index: number) =>
    found.communities[index].themes
      .map((t) =>
        t.kind === "figure"
          ? `${t.name} ${compact(t.value)} (all: ${compact(t.overall)})`
          : `${t.kind === "hashtag" ? "#" : ""}${t.name} ${percent(t.value, 0)} (all: ${t.overall < 0.005 ? "under 1 %" : percent(t.overall, 0)})`,
      )
      .join(", ");
  return card(
    cardHead(
      "What sets each community apart",
      "share of members against all accounts; of figures the medians",
    ),
    table(
      {
        columns: [
          { title: "community" },
          { title: "accounts", show: (n) => whole(n as number) },
          { title: "edges inside", show: (v) => percent(v as number, 0) },
          { title: "themes", isProse: true },
          { title: "middle", isProse: true },
        ],
        rows: found.communities.map((c, i) => [
          c.name,
          c.size,
          c.within,
          themes(i) || "–",
          c.members.join(", "),
        ]),
      },
      "Communities and their themes",
    ),
  );
}

function homophilyCard({ homophily, kind }: Network): Child {
  if (!isThere(homophily)) return null;
  const beyond = homophily.assortativity > homophily.high;
  return card(
    cardHead(
      beyond
        ? `${kind === "edges" ? "Edges" : "Likenesses"} keep within categories${homophily.assortativity < 0.1 ? ", but hardly" : ""}`
        : "Edges disregard categories",
      `assortativity ${points(homophily.assortativity, 2)} (1: all within, 0: as by chance; chance gives ${points(homophily.low, 2)} to ${points(homophily.high, 2)}); ${percent(homophily.within, 0)} of ${whole(homophily.n)} edges stay inside, ${percent(homophily.expected, 0)} would by chance`,
    ),
  );
}

function accountsCard(found: Network, which: "hubs" | "bridges"): Child {
  const rows = found[which].map((a: NetworkAccount) => [
    a.handle,
    communityName(found, a.community),
    a.followers,
    a.degree,
    a.pagerank,
    a.betweenness,
  ]);
  if (!rows.length) return null;
  return card(
    cardHead(
      which === "hubs"
        ? `${rows[0][0] ?? "One account"} is the greatest hub`
        : `${rows[0][0] ?? "One account"} bridges most`,
      which === "hubs"
        ? "highest PageRank (1: average)"
        : "on most shortest paths, with edges into several communities",
    ),
    table(
      {
        columns: [
          { title: "account", show: handleLink },
          { title: "community" },
          { title: "followers", show: (n) => compact(n as number) },
          { title: "edges", show: (n) => whole(n as number) },
          { title: "PageRank", show: (v) => plain(v as number) },
          { title: "shortest paths", show: (v) => percent(v as number, 1) },
        ],
        rows,
      },
      which,
    ),
  );
}

function linksCard(links: Network["brands"], title: string): Child {
  if (!isThere(links)) return null;
  const found: NetworkLinks = links;
  const beyond = found.auc - 2 * found.sd > 0.5;
  const share = percent(found.auc, 0);
  const finding = beyond
    ? `links held out are told right in ${share} of pairs`
    : `which links come next cannot be told: right in ${share} of pairs, as by guessing`;
  return card(
    cardHead(
      `${title}: ${finding}`,
      `by ${found.method.replace(/_/g, " ")}; ${whole(found.held)} of ${whole(found.n)} links held out, AUC ${points(found.auc, 3)} ± ${points(found.sd, 3)}; 50 % is guessing`,
    ),
    table(
      {
        columns: [
          { title: "account", show: handleLink },
          { title: "suggested" },
          { title: "score", show: (v) => points(v as number, 3) },
        ],
        rows: found.suggested.map((s) => [s.from, s.to, s.score]),
      },
      title,
    ),
    !beyond &&
      note(
        "warning",
        "The suggestions are listed for completeness: these data give no reason to follow them.",
      ),
  );
}
