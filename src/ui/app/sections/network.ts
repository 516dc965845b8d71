// SPDX-License-Identifier: Apache-2.0
// Communities, the accounts in their middle and between them, and the links that may come next.

import type { Context } from "../context";
import { grid, tipRows, tooltip, valueAxis } from "../axes";
import { card, cardHead, chartCard } from "../chart";
import { append, h, type Child } from "../dom";
import { compact, percent, plural, points, whole } from "../format";
import { isThere, type Network, type NetworkAccount, type NetworkLinks } from "../report";
import { note } from "../states";
import { handleLink, table } from "../table";
import { groupColour, theme } from "../theme";
import { absentSection } from "./partial";

const LEAD = "Who mentions, tags and resembles whom: communities, the bridges between them, and their themes.";

export function network(into: HTMLElement, { report }: Context): void {
  const found = report.network;
  if (!isThere(found)) return absentSection(into, "Network", LEAD, found, "network");
  append(into, [
    h("div.section-head", null, h("h2", null, "Network"), h("p.lead", null, LEAD)),
    h("div.cards", null, mapCard(found), communitiesCard(found), homophilyCard(found), accountsCard(found, "hubs"), accountsCard(found, "bridges"), linksCard(found.collaborations, "Collaborations"), linksCard(found.brands, "Brands")),
  ]);
}

function communityName(found: Network, index: number): string {
  return index < 0 ? "none of size" : found.communities[index].name;
}

function mapCard(found: Network): Child {
  const { drawn } = found;
  const strength = found.modularity > 0.5 ? "clearly apart" : found.modularity > 0.3 ? "apart, with many edges between them" : "hardly apart";
  return chartCard({
    title: `${plural(found.n_communities, "community", "communities")}, ${strength}`,
    subtitle: `${whole(found.links)} ${found.kind === "edges" ? "real edges" : `likenesses (each account and its nearest ${found.neighbours})`} among ${plural(found.n, "account")}${(found.of ?? 0) > found.n ? ` drawn from ${whole(found.of)}` : ""}; modularity ${points(found.modularity, 2)}; ${whole(drawn.handle.length)} shown`,
    reading: "Joined accounts lie near each other; the size of a point grows with its PageRank. Ctrl and wheel to zoom (two fingers on glass), then drag to move; click a point to ask about it.",
    name: "network",
    height: 520,
    table: { columns: [{ title: "account", show: handleLink }, { title: "community" }, { title: "followers", show: (n) => compact(n as number) }, { title: "edges" }, { title: "PageRank" }], rows: drawn.handle.map((handle, i) => [handle, communityName(found, drawn.community[i]), drawn.followers[i], drawn.degree[i], drawn.pagerank[i]]) },
    option: () => {
      const colours = theme();
      const hidden = { axisLabel: { show: false }, splitLine: { show: false }, axisLine: { show: false }, axisTick: { show: false }, min: 0, max: 1 };
      return {
        grid: grid(),
        xAxis: valueAxis("", "", hidden),
        yAxis: valueAxis("", "", hidden),
        dataZoom: [{ type: "inside", xAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, filterMode: "none" }, { type: "inside", yAxisIndex: 0, zoomOnMouseWheel: "ctrl", moveOnMouseMove: true, filterMode: "none" }],
        tooltip: tooltip((event) => (event.seriesName === "accounts" ? tipRows(drawn.handle[event.data[2]] ?? "account", [["community", communityName(found, drawn.community[event.data[2]])], ["followers", compact(drawn.followers[event.data[2]])], ["edges", whole(drawn.degree[event.data[2]])]]) : null)),
        series: [
          {
            name: "edges",
            type: "custom",
            silent: true,
            data: drawn.edges.from.map((from, i) => [drawn.x[from], drawn.y[from], drawn.x[drawn.edges.to[i]], drawn.y[drawn.edges.to[i]]]),
            renderItem: (_: unknown, api: any) => {
              const [a, b] = [api.coord([api.value(0), api.value(1)]), api.coord([api.value(2), api.value(3)])];
              return { type: "line", shape: { x1: a[0], y1: a[1], x2: b[0], y2: b[1] }, style: { stroke: colours.muted, lineWidth: 0.5, opacity: 0.25 } };
            },
          },
          {
            name: "accounts",
            type: "scatter",
            data: drawn.x.map((x, i) => [x, drawn.y[i], i]),
            symbolSize: (item: number[]) => Math.min(18, 3 + 2 * Math.sqrt(drawn.pagerank[item[2]])),
            itemStyle: { color: (item: { data: number[] }) => (drawn.community[item.data[2]] < 0 ? colours.muted : groupColour(drawn.community[item.data[2]])), opacity: 0.8 },
          },
        ],
      };
    },
    onClick: (event) => {
      const handle = event.seriesName === "accounts" ? drawn.handle[event.data[2]] : null;
      if (handle) location.hash = `#/ask?handle=${encodeURIComponent(handle)}`;
    },
  }).element;
}

function communitiesCard(found: Network): Child {
  const themes = (index: number) => found.communities[index].themes.map((t) => (t.kind === "figure" ? `${t.name} ${compact(t.value)} (all: ${compact(t.overall)})` : `${t.kind === "hashtag" ? "#" : ""}${t.name} ${percent(t.value, 0)} (all: ${percent(t.overall, 0)})`)).join(", ");
  return card(
    cardHead("What sets each community apart", "share of members against all accounts; of figures the medians"),
    table({ columns: [{ title: "community" }, { title: "accounts" }, { title: "edges inside", show: (v) => percent(v as number, 0) }, { title: "themes", isText: true }, { title: "middle", isText: true }], rows: found.communities.map((c, i) => [c.name, c.size, c.within, themes(i) || "–", c.members.join(", ")]) }, "Communities and their themes"),
  );
}

function homophilyCard({ homophily, kind }: Network): Child {
  if (!isThere(homophily)) return null;
  const beyond = homophily.assortativity > homophily.high;
  return card(
    cardHead(
      beyond ? `${kind === "edges" ? "Edges" : "Likenesses"} keep within categories${homophily.assortativity < 0.1 ? ", but hardly" : ""}` : "Edges disregard categories",
      `assortativity ${points(homophily.assortativity, 2)} (1: all within, 0: as by chance; chance gives ${points(homophily.low, 2)} to ${points(homophily.high, 2)}); ${percent(homophily.within, 0)} of ${whole(homophily.n)} edges stay inside, ${percent(homophily.expected, 0)} would by chance`,
    ),
  );
}

function accountsCard(found: Network, which: "hubs" | "bridges"): Child {
  const rows = found[which].map((a: NetworkAccount) => [a.handle, communityName(found, a.community), a.followers, a.degree, a.pagerank, a.betweenness]);
  if (!rows.length) return null;
  return card(
    cardHead(which === "hubs" ? `${rows[0][0] ?? "One account"} is the greatest hub` : `${rows[0][0] ?? "One account"} bridges most`, which === "hubs" ? "highest PageRank (1: average)" : "on most shortest paths, with edges into several communities"),
    table({ columns: [{ title: "account", show: handleLink }, { title: "community" }, { title: "followers", show: (n) => compact(n as number) }, { title: "edges" }, { title: "PageRank" }, { title: "shortest paths", show: (v) => percent(v as number, 1) }], rows }, which),
  );
}

function linksCard(links: Network["brands"], title: string): Child {
  if (!isThere(links)) return null;
  const found: NetworkLinks = links;
  const beyond = found.auc - 2 * found.sd > 0.5;
  const share = percent(found.auc, 0);
  const finding = beyond ? `links held out are told right in ${share} of pairs` : `which links come next cannot be told: right in ${share} of pairs, as by guessing`;
  return card(
    cardHead(`${title}: ${finding}`, `by ${found.method.replace(/_/g, " ")}; ${whole(found.held)} of ${whole(found.n)} links held out, AUC ${points(found.auc, 3)} ± ${points(found.sd, 3)}; 50 % is guessing`),
    table({ columns: [{ title: "account", show: handleLink }, { title: "suggested" }, { title: "score", show: (v) => points(v as number, 3) }], rows: found.suggested.map((s) => [s.from, s.to, s.score]) }, title),
    !beyond && note("warning", "The suggestions are listed for completeness: these data give no reason to follow them."),
  );
}
