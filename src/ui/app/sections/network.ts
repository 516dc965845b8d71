// SPDX-License-Identifier: Apache-2.0
// Communities, the accounts in their middle and between them, and the links that may come next.

import type { Context } from "../context";
import { grid, tipRows, tooltip, valueAxis } from "../axes";
import { card, cardHead, chartCard, type ChartCard } from "../chart";
import { toggleLegend, zoomButtons } from "../controls";
import { append, h, replace, type Child } from "../dom";
import type { Chart, Option } from "../echarts";
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
} from "../format";
import type { LegendEntry } from "../picture";
import {
  isThere,
  type Network,
  type NetworkAccount,
  type NetworkLinks,
  type Report,
} from "../report";
import { note } from "../states";
import { askAbout, clickHint, handleLink, table } from "../table";
import { groupColour, theme } from "../theme";
import { absentSection } from "./partial";

const COLLABORATIONS = "Collaborations";
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
      communitiesCard(report, found),
      homophilyCard(found),
      accountsCard(found, "hubs"),
      accountsCard(found, "bridges"),
      linksCard(found.collaborations, COLLABORATIONS),
      linksCard(found.brands, "Brands"),
    ),
  ]);
}

/** Room to drag into, as a share of the drawing; none on glass, where a finger that passes over
 * it scrolls the page. */
const ROOM = matchMedia("(pointer: coarse)").matches ? 0 : 0.5;

const NO_COMMUNITY = "in a smaller one, or in none";

function communityName(found: Network, index: number): string {
  return index < 0 ? NO_COMMUNITY : found.communities[index].name;
}

/** What the communities are joined by. */
function linkWord({ kind }: Network): string {
  return kind === "edges" ? "edges" : "likenesses";
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
      ? `most ${linkWord(found)} stay within one`
      : found.modularity > 0.3
        ? `many ${linkWord(found)} lead from one to another`
        : "hardly apart from each other";
  const joined = found.n - found.isolated;
  const whom =
    found.isolated > 0
      ? `${plural(joined, "account")}, ${whole(found.isolated)} have none`
      : plural(found.n, "account");
  const hidden = new Set<number>();
  const legend = h("div");
  let chart: Chart | null = null;
  const made: ChartCard = chartCard({
    title: `${plural(found.n_communities, "community", "communities")}: ${strength}`,
    subtitle: `${whole(found.links)} ${found.kind === "edges" ? "real edges" : `likenesses (each account and its nearest ${found.neighbours})`} among ${whom}${(found.of ?? 0) > found.n ? ` drawn from ${whole(found.of)}` : ""}; modularity ${points(found.modularity, 2)} (0: communities as by chance, 1: nothing between them); ${whole(drawn.handle.length)} accounts shown`,
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
            text: inLines(name),
            x: median(members.map((i) => x[i])),
            y: median(members.map((i) => y[i])),
          },
        ]
      : [];
  });
}

/** A long name in two lines, at the comma between its themes. */
function inLines(name: string): string {
  return name.length > 24 ? name.replace(", ", ",\n") : name;
}

const NAME_LINE_PX = 15;

/** Heights at which names do not cover each other, from the top down. */
function spacedOut(names: Name[], places: number[][]): number[] {
  const wide = 170;
  const heights = places.map(([, y]) => y);
  const half = names.map(({ text }) => (NAME_LINE_PX * text.split("\n").length) / 2 + 1);
  const done: number[] = [];
  for (const i of places.map((_, index) => index).sort((a, b) => places[a][1] - places[b][1])) {
    for (const j of done) {
      const room = half[i] + half[j];
      if (Math.abs(places[i][0] - places[j][0]) < wide && Math.abs(heights[i] - heights[j]) < room)
        heights[i] = heights[j] + room;
    }
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
          y: spacedOut(names, places)[item.dataIndex],
          align: "center",
          verticalAlign: "middle",
          fill: colours.ink,
          stroke: colours.card,
          lineWidth: 4,
          font: "600 12px system-ui, sans-serif",
          lineHeight: NAME_LINE_PX,
        },
      };
    },
  };
}

function communitiesCard(report: Report, found: Network): Child {
  const units = new Map(report.data.columns.map((column) => [column.name, column.unit]));
  const themes = (index: number) =>
    found.communities[index].themes
      .map((t) =>
        t.kind === "figure"
          ? `${humanName(t.name)} ${withUnit(t.value, units.get(t.name) ?? "")} (all: ${withUnit(t.overall, units.get(t.name) ?? "")})`
          : `${t.kind === "hashtag" ? "#" : ""}${t.name} ${percent(t.value, 0)} (all: ${t.overall < 0.005 ? "under 1 %" : percent(t.overall, 0)})`,
      )
      .join(", ");
  return card(
    cardHead(
      "What sets each community apart",
      "share of its members against that of all accounts; of figures the medians",
    ),
    table(
      {
        columns: [
          { title: "community" },
          { title: "accounts", show: (n) => whole(n as number) },
          {
            title: `${linkWord(found)} inside`,
            help: "of those that its members have, how many lead to members",
            show: (v) => percent(v as number, 0),
          },
          { title: "themes", isProse: true },
          { title: "in its middle", isProse: true },
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

function homophilyCard(found: Network): Child {
  const { homophily } = found;
  if (!isThere(homophily)) return null;
  const beyond = homophily.assortativity > homophily.high;
  const links = sentence(linkWord(found));
  const shares = `${percent(homophily.within, 0)} stay inside one, where chance gives ${percent(homophily.expected, 0)}`;
  return card(
    cardHead(
      beyond
        ? `${links} keep within categories${homophily.assortativity < 0.1 ? ", but hardly" : ""}: ${shares}`
        : `${links} disregard categories: ${shares}`,
      `of ${whole(homophily.n)} between accounts whose categories are known; assortativity ${points(homophily.assortativity, 2)} (1: all within, 0: as by chance; chance gives ${points(homophily.low, 2)} to ${points(homophily.high, 2)})`,
    ),
  );
}

function smallShare(value: number): string {
  return value > 0 && value < 0.0005 ? "< 0.1\u00a0%" : percent(value, 1);
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
        ? "highest PageRank (1: average): linked to by many, and by those who are linked to by many"
        : "on the most shortest ways from one account to another, with edges into several communities",
    ),
    table(
      {
        columns: [
          { title: "account", show: handleLink },
          { title: "community" },
          { title: "followers", show: (n) => compact(n as number) },
          { title: "edges", show: (n) => whole(n as number) },
          { title: "PageRank", show: (v) => plain(v as number) },
          {
            title: "shortest paths",
            help: "share of the shortest ways between any two accounts that lead over this one",
            show: (v) => smallShare(v as number),
          },
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
    ? `a real link is told from chance in ${share} of pairs`
    : `a real link cannot be told from chance: right in ${share} of pairs, as by guessing`;
  return card(
    cardHead(
      `${title}: ${finding}`,
      `${whole(found.held)} of ${whole(found.n)} links were held out and set against pairs that are none; 50 % is guessing (AUC ${points(found.auc, 3)} ± ${points(found.sd, 3)}); method: ${found.method.replace(/_/g, " ")}`,
    ),
    table(
      {
        columns: [
          { title: "account", show: handleLink },
          { title: "suggested", show: title === COLLABORATIONS ? handleLink : undefined },
          {
            title: "score",
            help: "of the method: only its order has a meaning",
            show: (v) => points(v as number, 3),
          },
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
