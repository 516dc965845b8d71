// SPDX-License-Identifier: Apache-2.0
// The daemon at work: requests, latency, drift, log and model, from its own /metrics.

import { call, callText, type DriftAnswer, type DriftFigures } from "../api";
import { grid, tipRows, tooltip, valueAxis } from "../axes";
import { card, cardHead, chartCard, type ChartCard } from "../chart";
import type { Context } from "../context";
import { append, h, replace, type Child } from "../dom";
import type { Option } from "../echarts";
import { bytes, compact, humanName, percent, plain, plural, seconds, whole } from "../format";
import { buckets, has, labelsOf, parseMetrics, quantile, sumOf, type Sample } from "../metrics";
import { isThere, type Report } from "../report";
import { failure, note, partial, skeleton } from "../states";
import { table } from "../table";
import { theme } from "../theme";

const EVERY_MS = 2000;
const KEPT = 150;
const DRIFT_EVERY_MS = 20000;
const DURATION = "influenced_request_duration_seconds";
const STARTED = "process_start_time_seconds";
/** What this page itself asks all the time. */
const OWN_ROUTES = new Set(["/metrics", "/app-*", "/", "/report", "/-/ready", "/drift"]);

interface Moment {
  at: number;
  samples: Sample[];
}

interface Tick {
  at: number;
  rate: number;
  failed: number;
  p50: number | null;
  p99: number | null;
}

export function live(into: HTMLElement, context: Context): void | (() => void) {
  append(into, [
    h(
      "div.section-head",
      null,
      h("h2", null, "Live"),
      h(
        "p.lead",
        null,
        `What the daemon says of itself, every ${EVERY_MS / 1000} seconds; the page's own polling is left out.`,
      ),
    ),
  ]);
  if (!context.live) {
    append(into, [
      h(
        "div.cards",
        null,
        card(
          partial(
            "This is a report file. Live needs a running daemon: `influenced`, then open its page.",
          ),
        ),
      ),
    ]);
    return;
  }
  const view = new LiveView(context.report);
  append(into, [view.element]);
  return view.leave;
}

function asked(samples: Sample[]): Sample[] {
  return samples.filter((sample) => !OWN_ROUTES.has(sample.labels.route ?? ""));
}

/** What happened between two moments. */
function between(before: Moment, after: Moment): Tick {
  const span = (after.at - before.at) / 1000;
  const [old, now] = [asked(before.samples), asked(after.samples)];
  const count = (samples: Sample[]) => sumOf(samples, "influenced_requests_total");
  const failures = (samples: Sample[]) =>
    samples
      .filter(
        (sample) => sample.name === "influenced_requests_total" && sample.labels.status >= "500",
      )
      .reduce((sum, sample) => sum + sample.value, 0);
  const [earlier, later] = [buckets(old, DURATION), buckets(now, DURATION)];
  const counts = later.counts.map((n, i) => n - (earlier.counts[i] ?? 0));
  return {
    at: after.at,
    rate: (count(now) - count(old)) / span,
    failed: (failures(now) - failures(old)) / span,
    p50: quantile(later.upper, counts, 0.5),
    p99: quantile(later.upper, counts, 0.99),
  };
}

class LiveView {
  readonly element = h("div.cards");
  private readonly figures = h("dl.figures", { style: { "--columns": "7" } });
  private readonly state = h("div");
  private readonly details = h("div.cards.two");
  private readonly inputs = h("div.cards");
  private nextDrift = 0;
  private readonly charts = h("div.cards.two");
  private readonly ticks: Tick[] = [];
  private rateChart: ChartCard | null = null;
  private latencyChart: ChartCard | null = null;
  private last: Moment | null = null;
  private timer = 0;
  private gone = false;

  constructor(private readonly report: Report) {
    append(this.element, [this.state, this.figures, this.charts, this.details, this.inputs]);
    replace(this.figures, skeleton(96));
    void this.poll();
  }

  readonly leave = () => {
    this.gone = true;
    clearTimeout(this.timer);
  };

  private async poll(): Promise<void> {
    try {
      if (!document.hidden) this.take(parseMetrics(await callText("metrics")));
      if (!document.hidden && Date.now() >= this.nextDrift) await this.pollDrift();
      replace(this.state);
    } catch (problem) {
      replace(
        this.state,
        failure(`${(problem as Error).message} Trying again every ${EVERY_MS / 1000} seconds.`),
      );
    }
    if (!this.gone) this.timer = window.setTimeout(() => void this.poll(), EVERY_MS);
  }

  /** Slowly: windows are of minutes. */
  private async pollDrift(): Promise<void> {
    this.nextDrift = Date.now() + DRIFT_EVERY_MS;
    const drift = await call<DriftAnswer>("drift").catch(() => null);
    if (!this.gone && !this.inputs.contains(document.activeElement))
      replace(this.inputs, inputsCard(drift));
  }

  private take(samples: Sample[]): void {
    if (this.gone) return;
    const now: Moment = { at: Date.now(), samples };
    // Counters begin anew with another process: nothing lies between it and the one before.
    if (this.last && sumOf(this.last.samples, STARTED) !== sumOf(samples, STARTED))
      this.last = null;
    if (this.last) {
      this.ticks.push(between(this.last, now));
      if (this.ticks.length > KEPT) this.ticks.shift();
    }
    const cpu = this.last
      ? (sumOf(samples, "process_cpu_seconds_total") -
          sumOf(this.last.samples, "process_cpu_seconds_total")) /
        ((now.at - this.last.at) / 1000)
      : null;
    this.last = now;
    replace(this.figures, this.strip(samples, cpu));
    if (this.ticks.length > 0) this.drawCharts();
    const focused = this.details.contains(document.activeElement);
    if (!focused)
      replace(
        this.details,
        h("div.cards", null, routesCard(samples), driftCard(this.report, samples)),
        h("div.cards", null, logCard(samples), servedCard(this.report, samples)),
      );
  }

  private strip(samples: Sample[], cpu: number | null): Child {
    const tick = this.ticks[this.ticks.length - 1];
    const uptime = Date.now() / 1000 - sumOf(samples, STARTED);
    const total = sumOf(asked(samples), "influenced_requests_total");
    const entries: [string, string, string][] = [
      ["Requests a second", tick ? plain(tick.rate) : "–", `${compact(total)} since the start`],
      [
        "Half are faster than",
        tick?.p50 != null ? seconds(tick.p50) : "–",
        tick?.p50 != null ? "in the last 2 s" : "no request in the last 2 s",
      ],
      [
        "99 of 100 faster than",
        tick?.p99 != null ? seconds(tick.p99) : "–",
        "upper bound, by bucket",
      ],
      [
        "In flight",
        whole(sumOf(samples, "influenced_requests_in_flight")),
        `${plural(sumOf(samples, "influenced_connections"), "connection")}`,
      ],
      ["Processor", cpu === null ? "–" : percent(cpu), "of one core"],
      ["Memory", bytes(sumOf(samples, "process_resident_memory_bytes")), "resident"],
      ["Up for", uptime > 0 && uptime < 1e9 ? seconds(uptime) : "–", ""],
    ];
    return entries.map(([label, value, small]) =>
      h(
        "div.figure",
        null,
        h("dt", null, label),
        h("dd.value.text", null, value),
        small && h("dd.small", null, small),
      ),
    );
  }

  private drawCharts(): void {
    if (this.rateChart && this.latencyChart) {
      this.rateChart.redraw({ table: this.tickTable(), title: rateTitle(this.ticks) });
      this.latencyChart.redraw({ table: this.tickTable(), title: latencyTitle(this.ticks) });
      return;
    }
    const common = { height: 220, table: this.tickTable() };
    this.rateChart = chartCard({
      ...common,
      title: rateTitle(this.ticks),
      subtitle: "requests a second: all, and those that failed with 5xx; last 5 minutes",
      reading:
        "Anything above zero among the failed is the daemon's own fault: its log says which.",
      name: "requests",
      option: () =>
        lineOption(
          this.ticks,
          [
            ["all", (tick) => tick.rate, theme().accent],
            ["failed", (tick) => tick.failed, theme().bad],
          ],
          "requests a second",
          plain,
        ),
    });
    this.latencyChart = chartCard({
      ...common,
      title: latencyTitle(this.ticks),
      subtitle:
        "time to answer: half of the requests, and 99 of 100, take less; log scale, by histogram bucket",
      reading:
        "The upper line is what a patient caller waits; where it leaves the lower one far below, some requests queue.",
      name: "latency",
      option: () =>
        lineOption(
          this.ticks,
          [
            ["99 of 100", (tick) => tick.p99, theme().bad],
            ["half", (tick) => tick.p50, theme().accent],
          ],
          "time",
          seconds,
          true,
        ),
    });
    replace(this.charts, this.rateChart.element, this.latencyChart.element);
  }

  private tickTable(): Parameters<typeof table>[0] {
    const time = (value: unknown) => (value === null ? "–" : seconds(value as number));
    return {
      columns: [
        { title: "time" },
        { title: "a second", show: (value) => plain(value as number) },
        { title: "failed", show: (value) => plain(value as number) },
        { title: "half", show: time },
        { title: "99 of 100", show: time },
      ],
      rows: this.ticks.map((tick) => [
        new Date(tick.at).toISOString().slice(11, 19),
        tick.rate,
        tick.failed,
        tick.p50,
        tick.p99,
      ]),
    };
  }
}

function rateTitle(ticks: Tick[]): string {
  const failed = ticks.filter((tick) => tick.failed > 0).length;
  const busiest = ticks.reduce((most, tick) => Math.max(most, tick.rate), 0);
  if (failed)
    return `Requests failed in ${plural(failed, "moment")} of the last ${whole(ticks.length)}`;
  return busiest === 0
    ? "Nobody asks just now"
    : `Up to ${plain(busiest)} requests a second, none failed`;
}

function latencyTitle(ticks: Tick[]): string {
  const slowest = ticks.reduce((most, tick) => Math.max(most, tick.p99 ?? 0), 0);
  return slowest === 0
    ? "No answer to time yet"
    : `99 of 100 answers within ${seconds(slowest)} at the slowest moment`;
}

type Line = [string, (tick: Tick) => number | null, string];

function lineOption(
  ticks: Tick[],
  lines: Line[],
  axis: string,
  show: (value: number) => string,
  isLog = false,
): Option {
  const start = ticks[ticks.length - 1].at - KEPT * EVERY_MS;
  const last = (value: Line[1]) => value(ticks[ticks.length - 1]);
  return {
    grid: grid({ right: 72 }),
    xAxis: valueAxis("", "", {
      min: start,
      max: ticks[ticks.length - 1].at,
      interval: 60_000,
      splitLine: { show: false },
      axisLabel: {
        formatter: (at: number) => new Date(at).toTimeString().slice(0, 5),
        showMinLabel: false,
        showMaxLabel: false,
      },
    }),
    yAxis: valueAxis(
      "",
      "",
      isLog
        ? { type: "log", axisLabel: { formatter: show } }
        : { scale: false, min: 0, minInterval: 1, axisLabel: { formatter: show } },
    ),
    tooltip: tooltip((events) => {
      const tick = ticks[events[0]?.dataIndex];
      if (!tick) return null;
      return tipRows(
        new Date(tick.at).toTimeString().slice(0, 8),
        lines.map(([name, value]): [string, string] => [
          name,
          value(tick) === null ? "–" : show(value(tick)!),
        ]),
      );
    }, "axis"),
    series: lines.map(([name, value, colour]) => ({
      name,
      type: "line",
      data: ticks.map((tick) => [tick.at, value(tick)]),
      showSymbol: ticks.length === 1,
      symbolSize: 5,
      lineStyle: { color: colour, width: 1.5 },
      itemStyle: { color: colour },
      endLabel: {
        // Two labels at zero would lie upon each other: nothing failed is said by the title.
        show: isLog ? last(value) !== null : Boolean(last(value)) || name === lines[0][0],
        formatter: name,
        color: colour,
        fontSize: 12,
      },
      labelLayout: { moveOverlap: "shiftY" },
    })),
    aria: { label: { description: axis } },
  };
}

function routesCard(samples: Sample[]): Child {
  const routes = labelsOf(samples, "influenced_requests_total", "route");
  const rows = routes.map((route) => {
    const total = sumOf(samples, "influenced_requests_total", { route });
    const refused = samples
      .filter(
        (sample) =>
          sample.name === "influenced_requests_total" &&
          sample.labels.route === route &&
          sample.labels.status >= "400",
      )
      .reduce((sum, sample) => sum + sample.value, 0);
    const { upper, counts } = buckets(samples, DURATION, { route });
    return [
      route,
      total,
      refused / (total || 1),
      quantile(upper, counts, 0.5),
      quantile(upper, counts, 0.99),
    ];
  });
  const time = (value: unknown) => (value === null ? "–" : seconds(value as number));
  return card(
    cardHead("By route", "since the start"),
    rows.length
      ? table(
          {
            columns: [
              { title: "route" },
              { title: "requests", show: (n) => whole(n as number) },
              { title: "4xx and 5xx", show: (share) => percent(share as number) },
              { title: "half under", show: time },
              { title: "99 % under", show: time },
            ],
            rows: rows.sort((a, b) => (b[1] as number) - (a[1] as number)),
          },
          "Requests by route",
        )
      : h("p.muted", null, "No request yet."),
  );
}

function logCard(samples: Sample[]): Child {
  const dropped = sumOf(samples, "influenced_log_dropped_rows_total");
  const failed = sumOf(samples, "influenced_log_failed_commits_total");
  const info = samples.find((sample) => sample.name === "influenced_model_info");
  const version =
    info?.labels.version ?? info?.labels.model ?? Object.values(info?.labels ?? {})[0] ?? "–";
  const reloads = sumOf(samples, "influenced_reloads_total");
  const hasLog = has(samples, "influenced_log_rows_total");
  const facts: [string, Child][] = [
    ["Model in service", h("span.mono", null, version)],
    ["Accounts catalogued", whole(sumOf(samples, "influenced_catalogue_profiles"))],
    ["Loads since the start", whole(reloads)],
    ["Rows logged", hasLog ? whole(sumOf(samples, "influenced_log_rows_total")) : "the log is off"],
    [
      "Rows waiting",
      hasLog
        ? `${whole(sumOf(samples, "influenced_log_queue_rows"))} (${bytes(sumOf(samples, "influenced_log_queue_bytes"))})`
        : "–",
    ],
    ["Connections refused", whole(sumOf(samples, "influenced_connections_refused_total"))],
  ];
  return card(
    cardHead("Model and log"),
    dropped > 0 &&
      note(
        "warning",
        `${plural(dropped, "row")} of the request log dropped: the disk is full or too slow.`,
      ),
    failed > 0 && note("warning", `${plural(failed, "commit")} of the request log failed.`),
    h(
      "dl.facts",
      null,
      facts.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
    ),
  );
}

/** Scores that training knew, for comparison with those answered. */
function trainedScores(report: Report): number[] {
  if (!isThere(report.models) || !isThere(report.models.score)) return [];
  const { predicted } = report.models.score;
  return isThere(predicted) ? predicted.predicted : [];
}

const DRIFT_MIN = 100;

/** What is asked, figure by figure, against the training data: the daemon's own /drift. */
function inputsCard(drift: DriftAnswer | null): Child {
  const title = "What is asked, against the training data";
  const { score, tier } = drift ?? {};
  if (!score && !tier)
    return card(
      cardHead(title),
      partial(
        "The daemon does not watch drift, or this bundle was made before it could: train again, and see drift.window_minutes.",
      ),
    );
  const watched = score && score.rows >= (tier?.rows ?? 0) ? score : tier!;
  const answers = watched === score ? "score" : "tier";
  if (watched.rows < DRIFT_MIN)
    return card(
      cardHead(title),
      partial(
        `${plural(watched.rows, "profile")} in the last ${drift!.window_minutes} minutes: a comparison needs ${DRIFT_MIN}.`,
      ),
    );
  const all: DriftFigures[] = [watched.output, ...(watched.features ?? [])];
  const moved = all.filter((figures) => figures.drift === "major");
  const rows = [...all]
    .sort((a, b) => (b.psi ?? -1) - (a.psi ?? -1))
    .map((figures) => [
      humanName(figures.name),
      figures.drift,
      figures.psi,
      figures.missing,
      figures.missing_reference,
      figures.out_of_range ?? figures.unseen ?? null,
    ]);
  const share = (value: unknown) => (value === null ? "–" : percent(value as number));
  return card(
    cardHead(
      moved.length
        ? `${plural(moved.length, "figure")} of ${all.length} moved much since training`
        : "Nothing moved much since training",
      `${plural(watched.rows, "profile")} asked for a ${answers} in the last ${drift!.window_minutes} minutes; population stability index: above 0.1 some, above 0.25 much`,
    ),
    table(
      {
        columns: [
          { title: "figure" },
          { title: "moved" },
          { title: "index", show: (psi) => (psi === null ? "–" : plain(psi as number)) },
          { title: "missing", show: share },
          { title: "in training", show: share },
          { title: "beyond training", show: share },
        ],
        rows,
      },
      title,
      15,
    ),
  );
}

function driftCard(report: Report, samples: Sample[]): Child {
  const { upper, counts } = buckets(samples, "influenced_score_points");
  const total = counts.reduce((sum, count) => sum + count, 0);
  const trained = trainedScores(report);
  const title = "Scores answered against scores in training";
  if (total < DRIFT_MIN)
    return card(
      cardHead(title),
      partial(`${plural(total, "score")} answered so far: a comparison needs ${DRIFT_MIN}.`),
    );
  const shares = counts.map((count) => count / total);
  const reference = upper.map(
    (bound, i) =>
      trained.filter((score) => score <= bound && score > (upper[i - 1] ?? -Infinity)).length /
      (trained.length || 1),
  );
  const floor = 1e-4;
  const psi = shares.reduce(
    (sum, share, i) =>
      sum +
      (share - reference[i]) * Math.log(Math.max(share, floor) / Math.max(reference[i], floor)),
    0,
  );
  const rows = upper.map((bound, i) => [
    `${whole(upper[i - 1] ?? 0)} to ${Number.isFinite(bound) ? whole(bound) : "more"}`,
    counts[i],
    shares[i],
    trained.length ? reference[i] : null,
  ]);
  const verdict =
    psi > 0.25
      ? "much has moved: are these the same kind of accounts?"
      : psi > 0.1
        ? "some has moved"
        : "alike";
  return card(
    cardHead(
      title,
      trained.length
        ? `population stability index ${plain(psi)}: ${verdict} (above 0.1 some, above 0.25 much)`
        : "this bundle has no predictions of training to compare with",
    ),
    psi > 0.25 &&
      trained.length > 0 &&
      note(
        "warning",
        "The accounts asked about differ from those of the training data: scores may be off.",
      ),
    table(
      {
        columns: [
          { title: "score" },
          { title: "answers", show: (n) => whole(n as number) },
          { title: "share", show: (share) => percent(share as number) },
          { title: "in training", show: (share) => percent(share as number) },
        ],
        rows: rows.filter((row) => row[1] !== 0 || row[3] !== 0),
      },
      title,
    ),
  );
}

function servedCard(report: Report, samples: Sample[]): Child {
  const archetypes = isThere(report.archetypes) ? report.archetypes.names : [];
  const list = (name: string, label: string) =>
    labelsOf(samples, name, label).map((value): [string, number] => [
      value,
      sumOf(samples, name, { [label]: value }),
    ]);
  const tiers = list("influenced_tier_predictions_total", "tier");
  const clusters = list("influenced_cluster_predictions_total", "cluster");
  if (tiers.length + clusters.length === 0)
    return card(
      cardHead("Tiers and archetypes answered"),
      partial("None yet: ask something, or run `curl` against /tier and /cluster."),
    );
  const rows = [
    ...tiers.map(([name, n]) => ["tier", name, n]),
    ...clusters.map(([id, n]) => ["archetype", archetypes[Number(id)] ?? id, n]),
  ];
  return card(
    cardHead("Tiers and archetypes answered", "since this model came into service"),
    table(
      {
        columns: [
          { title: "kind" },
          { title: "name" },
          { title: "answers", show: (n) => whole(n as number) },
        ],
        rows,
      },
      "Tiers and archetypes answered",
    ),
  );
}
