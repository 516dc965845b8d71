// SPDX-License-Identifier: Apache-2.0
// How good the models are, out of fold, and what they go by.

import type { Context } from "../context";
import { card, cardHead } from "../chart";
import { append, h, type Child } from "../dom";
import { compact, humanName, plain, plural, points, seconds, sentence } from "../format";
import {
  isThere,
  reason,
  type Candidate,
  type GrowthModel,
  type ScoreModel,
  type TierModel,
} from "../report";
import { partial } from "../states";
import { table, type Cell, type TableSpec } from "../table";
import { growthCards } from "./models/growth";
import { importanceCard } from "./models/importance";
import { scoreCards } from "./models/score";
import { tierCards } from "./models/tier";

export function models(into: HTMLElement, { report }: Context): void {
  append(into, [
    h(
      "div.section-head",
      null,
      h("h2", null, "Models"),
      h(
        "p.lead",
        null,
        "How good the models are, and what they go by. No account is judged by a model that learned from it.",
      ),
    ),
  ]);
  if (!isThere(report.models)) {
    append(into, [h("div.cards", null, card(partial(reason(report.models, "models"))))]);
    return;
  }
  const { score, tier } = report.models;
  append(into, [
    h("h2.part", null, "Score"),
    h(
      "div.cards",
      null,
      isThere(score)
        ? [
            leaderboard(score),
            scoreCards(report, score),
            score.leaderboard.length > 0 && importanceCard(score.importance, "score"),
          ]
        : card(partial(reason(score, "score"))),
    ),
    h("h2.part", null, "Tier"),
    h(
      "div.cards",
      null,
      isThere(tier)
        ? [leaderboard(tier), tierCards(report, tier), importanceCard(tier.importance, "tier")]
        : card(partial(reason(tier, "tier"))),
    ),
    h("h2.part", null, "Growth forecast"),
    h(
      "div.cards",
      null,
      isThere(report.growth)
        ? [growthCards(report, report.growth), leaderboard(report.growth)]
        : card(partial(reason(report.growth, "growth"))),
    ),
  ]);
}

/** In one line each: what a figure of the leaderboard means. */
const METRIC_HELP: Record<string, string> = {
  mae: "mean distance from the true value; lower is better",
  rmse: "as the mean error, but large misses weigh more; lower is better",
  r2: "share of the spread explained; 1 is all, 0 is none, below 0 is worse than the mean",
  spearman: "do the ranks agree? 1 is fully, 0 not at all",
  accuracy: "share named right",
  macro_f1: "right and complete, each tier counting alike; 1 is best",
  auc: "how often a row of a tier is told from another row, tiers counting alike; 1 is always, 0.5 is chance",
  log_loss: "how surprised the probabilities are by the truth; lower is better",
  ece: "how far stated probabilities are from what happens; lower is better",
};

function leaderboard(model: ScoreModel | TierModel | GrowthModel): Child {
  const target = targetText(model);
  if (model.leaderboard.length === 0)
    return card(
      cardHead("Nothing to learn: the score is an open formula", "a weighted mean of percentiles"),
      h(
        "p",
        null,
        "The data carry no score, so each account is scored by the parts below. That is exact by definition; there is no error to measure. Parts that an account's figures do not allow pass their weight on to the others.",
      ),
      "composite" in model && compositeParts(model),
    );
  const names = [
    ...new Set(model.leaderboard.flatMap((candidate) => Object.keys(candidate.metrics))),
  ];
  const byName = new Map(model.leaderboard.map((candidate) => [candidate.name, candidate]));
  const withSpread = (name: string) => (mean: Cell, row: Cell[]) => {
    const sd = byName.get(String(row[0]))?.metrics[name]?.sd ?? null;
    if (mean === null) return "–";
    if (Math.abs(mean as number) >= 1000)
      return [compact(mean as number), sd !== null && h("span.muted", null, ` ± ${compact(sd)}`)];
    // The same for all of a column: figures are compared down it.
    const decimals = decimalsOf(byName.get(model.chosen)?.metrics[name]?.sd ?? null);
    const spread = points(sd, decimals);
    return [
      points(mean as number, decimals),
      sd !== null && Number(spread) > 0 && h("span.muted", null, ` ± ${spread}`),
    ];
  };
  const spec: TableSpec = {
    columns: [
      {
        title: "model",
        isProse: true,
        show: (name) => modelCell(byName.get(String(name))!, name === model.chosen),
      },
      ...names.map((name) => ({
        title: humanName(name),
        help: METRIC_HELP[name],
        show: withSpread(name),
      })),
      {
        title: "time to fit",
        show: (time: Cell) => (time === null ? "–" : seconds(time as number)),
      },
    ],
    rows: model.leaderboard.map((candidate) => [
      candidate.name,
      ...names.map((name) => candidate.metrics[name]?.mean ?? null),
      candidate.fit_seconds,
    ]),
  };
  return card(
    cardHead(
      `${sentence(humanName(model.chosen))} predicts ${target} best of ${plural(model.leaderboard.length, "candidate")}`,
      `by ${humanName(model.selected_by)}; ${plural(model.n, "account")}, ${model.folds} folds, ${plural(model.repeats, "repeat")}${model.repeats > 1 ? "; ± is the spread over repeats" : ""}`,
    ),
    table(spec, `Candidates for ${target}`),
    h(
      "p.reading",
      null,
      names.map((name, i) => [
        i > 0 && " ",
        h("strong", null, sentence(humanName(name))),
        `: ${METRIC_HELP[name] ?? ""}.`,
      ]),
    ),
  );
}

/** What is predicted; "low, middle or high followers" of a quantile. */
function targetText(model: ScoreModel | TierModel | GrowthModel): string {
  const figure = model.target.replace(/_?quantile$/, "").replace(/_/g, " ");
  if (!/quantile$/.test(model.target) || !("names" in model)) return figure;
  const last = model.names[model.names.length - 1];
  return `${model.names.slice(0, -1).join(", ")} or ${last} ${figure}`;
}

/** As many as the spread makes worth saying. */
function decimalsOf(sd: number | null): number {
  return sd && sd > 0 ? Math.min(3, Math.max(2, Math.ceil(-Math.log10(sd)))) : 3;
}

/** What it is and how it was set stand under the name: columns of prose leave no room for the
 * figures. */
function modelCell({ name, note, settings }: Candidate, chosen: boolean): Child {
  const more = [note, settings].filter(Boolean).join("; ");
  return [
    chosen
      ? h("strong", { title: name }, humanName(name), " ✓")
      : h("span", { title: name }, humanName(name)),
    more && h("div.small.muted", null, more),
  ];
}

function compositeParts({ composite }: ScoreModel): Child {
  const total = Object.values(composite.weights).reduce((sum, weight) => sum + weight, 0) || 1;
  return table(
    {
      columns: [
        { title: "part" },
        { title: "weight", show: (weight) => `${plain((100 * (weight as number)) / total)} %` },
        { title: "what it measures" },
      ],
      rows: Object.entries(composite.weights).map(([part, weight]) => [
        part,
        weight,
        composite.parts[part] ?? "",
      ]),
    },
    "Parts of the composite",
  );
}
