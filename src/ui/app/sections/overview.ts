// SPDX-License-Identifier: Apache-2.0
// What this bundle is, from which data, how good, and what to be careful with.

import { card, cardHead } from "../chart";
import { sparkBars } from "../charts/histogram";
import type { Context } from "../context";
import { append, h, type Child } from "../dom";
import {
  change,
  humanName,
  percent,
  plain,
  plural,
  sentence,
  time,
  whole,
  withUnit,
  worded,
} from "../format";
import { sourceText } from "../picture";
import {
  isFormula,
  isThere,
  reason,
  type Bundle,
  type Overview,
  type Report,
  type ScoreModel,
  type TierModel,
} from "../report";
import { note, partial } from "../states";
import { unitOf } from "../unit";

export function overview(into: HTMLElement, { report, live }: Context): void {
  append(into, [
    h("div.section-head", null, h("h2", null, titleOf(report)), h("p.lead", null, lead(report))),
    h(
      "div.cards",
      null,
      headline(report.overview),
      glance(report),
      h(
        "div.cards.two",
        null,
        h("div.cards", null, careful(report), next(report, live)),
        h("div.cards", null, quality(report), origin(report)),
      ),
    ),
  ]);
}

/** "33935 accounts from ..." with the number as people write it. */
export function titleOf({ overview }: Report): string {
  return isThere(overview)
    ? overview.title.replace(/^\d+/, (digits) => whole(Number(digits)))
    : "A damaged report";
}

function lead(report: Report): string {
  if (report.kind === "explore")
    return "What the data look like before any model. Train to score, tier, group and compare.";
  return "What was learned from these data, how well, and where to be careful.";
}

function headline({ headline }: Overview): Child {
  const columns = headline.length > 6 ? Math.ceil(headline.length / 2) : headline.length;
  return h(
    "dl.figures",
    { style: { "--columns": String(columns) } },
    headline.map((item) => {
      const isText = typeof item.value === "string";
      const range =
        item.low !== undefined && item.low !== null && item.high !== undefined
          ? `${withUnit(item.low, item.unit)} to ${withUnit(item.high, item.unit)}`
          : "";
      const small = [range, noteOf(item)].filter(Boolean).join(" · ");
      return h(
        "div.figure",
        { title: sourceText() },
        h("dt", null, labelOf(item)),
        h(isText ? "dd.value.text" : "dd.value", null, headlineValue(item)),
        small && h("dd.small", null, small),
      );
    }),
  );
}

/** Of models the report says how it was measured; the page says so once, in words. */
function labelOf({ label }: Overview["headline"][number]): string {
  return sentence(label)
    .replace(/\bR2\b/, "R²")
    .replace(/, out of fold$/, "");
}

/** "size" and "score quantile" say nothing to whom does not know the models. */
const TIER_NOTES: Record<string, string> = {
  size: "sizes, of unseen accounts",
  "followers quantile": "parts by followers, of unseen accounts",
  "score quantile": "parts by score, of unseen accounts",
};

/** A remark under a figure; a range in it carries the figure's own unit. */
function noteOf({ label, note, unit }: Overview["headline"][number]): string {
  if (/^Tiers told right/.test(label)) return TIER_NOTES[note.replace(/_/g, " ")] ?? note;
  const text = worded(note).replace(/(?<=^|\s)-(?=\d)/g, "\u2212");
  return unit === "percent a month" && / to \S+$/.test(text) ? `${text} %` : humanName(text);
}

/** Counts that fit are given whole. */
function headlineValue({ value, unit }: Overview["headline"][number]): string {
  if (
    typeof value === "number" &&
    Number.isInteger(value) &&
    value < 1e6 &&
    unit !== "fraction" &&
    unit !== "points"
  )
    return whole(value);
  return withUnit(value, unit);
}

const RARE = /^.+: class '(.+)' has (\d+) of (\d+) rows: it will be missed$/;

/** "Only 677 of 33,935 accounts are macro: ..." */
function cautionText(text: string): string {
  return text.replace(
    RARE,
    (_, name, n, of) =>
      `only ${whole(Number(n))} of ${whole(Number(of))} accounts are “${name}”: the tier model will miss many of them`,
  );
}

const LACKING = /^(\S+ %) of the rows lack (\S+)$/;

/** What many rows lack is one remark, however many columns it is. */
function gathered(careful: Overview["careful"]): Overview["careful"] {
  const lacking = careful.filter((item) => LACKING.test(item.text));
  if (lacking.length < 3) return careful;
  const list = lacking
    .map((item) => item.text.replace(LACKING, (_, share, name) => `${humanName(name)} (${share})`))
    .join(", ");
  const at = careful.indexOf(lacking[0]);
  return careful.flatMap((item, i) =>
    i === at
      ? [{ ...item, text: `many rows lack some figures: ${list}` }]
      : lacking.includes(item)
        ? []
        : [item],
  );
}

function careful({ overview }: Report): Child {
  // The trainer and the exploration both say it of synthetic rows: once is enough.
  const shown = gathered(overview.careful).filter(
    (item, i, all) =>
      !/synthetic/.test(item.text) || all.findIndex((other) => /synthetic/.test(other.text)) === i,
  );
  const body = shown.length
    ? shown.map((item) =>
        note(
          item.level,
          cautionText(item.text),
          " ",
          h(
            "a",
            { href: `#/${item.section}`, "aria-label": `More in ${sentence(item.section)}` },
            sentence(item.section),
            "\u00a0→",
          ),
        ),
      )
    : h("p.muted", null, "Nothing found that needs care.");
  return card(cardHead("Be careful with"), body);
}

const GLANCE_MAX = 8;

/** The columns that say most, as small shapes. */
function glance({ data: { columns } }: Report): Child {
  const shown = columns
    .filter(
      (column) =>
        column.kind === "number" &&
        !/^previous_/.test(column.name) &&
        column.histogram &&
        column.histogram.counts.length > 2 &&
        column.present > 0,
    )
    .slice(0, GLANCE_MAX);
  if (shown.length === 0) return null;
  return card(
    cardHead(
      "The accounts at a glance",
      "shape, median and middle half of each figure; skewed ones on a log scale",
    ),
    h(
      "ul.glance",
      null,
      shown.map((column) =>
        h(
          "li",
          null,
          h(
            "a.small",
            { href: `#/data?column=${encodeURIComponent(column.name)}` },
            sentence(humanName(column.name)),
          ),
          sparkBars(column.histogram!, `Distribution of ${humanName(column.name)}`),
          h(
            "div",
            null,
            h("strong", null, withUnit(column.median, column.unit)),
            h(
              "span.muted.small",
              null,
              ` ${withUnit(column.q25, column.unit)} to ${withUnit(column.q75, column.unit)}`,
            ),
          ),
        ),
      ),
    ),
  );
}

/** Sentences on how good the models are, weak results named as such. */
function quality(report: Report): Child {
  if (!isThere(report.models))
    return card(cardHead("How good it is"), partial(reason(report.models, "models")));
  const { score, tier } = report.models;
  return card(
    cardHead("How good it is", "Measured on rows that the model had not seen"),
    h(
      "div.stack",
      null,
      isThere(score) ? scoreQuality(score) : h("p.muted", null, reason(score, "score")),
      isThere(tier) ? tierQuality(tier) : h("p.muted", null, reason(tier, "tier")),
      isThere(report.archetypes) &&
        h(
          "p",
          null,
          h("strong", null, "Archetypes. "),
          `${sentence(report.archetypes.text).replace(/\.$/, "")}.`,
        ),
      h("p", null, h("a", { href: "#/models" }, "All candidates and charts\u00a0→")),
    ),
  );
}

export function metric(model: ScoreModel | TierModel, name: string): number | null {
  const chosen = model.leaderboard.find((candidate) => candidate.chosen);
  return chosen?.metrics[name]?.mean ?? null;
}

/** In words, how much of the spread a score model explains. */
export function strengthOf(r2: number): string {
  if (r2 < 0.1) return "weak";
  if (r2 < 0.3) return "modest";
  if (r2 < 0.6) return "fair";
  return "strong";
}

function scoreQuality(model: ScoreModel): Child {
  if (isFormula(model))
    return h(
      "p",
      null,
      h("strong", null, "Score. "),
      "These data have no score of their own, so it is an open formula, a weighted mean of percentiles: exact by definition, not a forecast.",
    );
  const [mae, r2] = [metric(model, "mae"), metric(model, "r2")];
  const { name, show } = unitOf(model);
  const gain = mae !== null && model.baseline.mae ? 1 - mae / model.baseline.mae : null;
  return h(
    "p",
    null,
    h("strong", null, "Score. "),
    `${sentence(humanName(model.chosen))} misses ${model.target.replace(/_/g, " ")} by ${show(mae)} ${name} on average`,
    gain !== null &&
      `, ${percent(Math.abs(gain), 0)} ${gain > 0 ? "less" : "more"} than always answering the median`,
    r2 !== null &&
      `. It is a ${strengthOf(r2)} fit: R² ${plain(r2)}, rank correlation ${plain(metric(model, "spearman"))}`,
    isThere(model.coverage) &&
      `. Its ${percent(model.coverage.stated, 0)} interval held the true score in ${percent(model.coverage.observed)} of cases`,
    ".",
  );
}

function tierQuality(model: TierModel): Child {
  const total = model.counts.reduce((sum, count) => sum + count, 0);
  const usual = Math.max(...model.counts) / total;
  // Of the calibrated answers, as the figure above has it: the leaderboard's is before that.
  const right = model.confusion.reduce((sum, row, i) => sum + row[i], 0);
  const accuracy =
    total > 0 ? right / model.confusion.flat().reduce((sum, count) => sum + count, 0) : null;
  return h(
    "p",
    null,
    h("strong", null, "Tier. "),
    `${sentence(humanName(model.chosen))} names the right one of ${model.names.length} in ${percent(accuracy)} of cases; always naming the largest tier would in ${percent(usual)}`,
    accuracy !== null && ` (${change(100 * (accuracy - usual))} points)`,
    ".",
  );
}

function rowsOf({ role = "profiles", rows }: Bundle["data"][number]): string {
  return role === "posts"
    ? plural(rows, "post")
    : role === "edges"
      ? plural(rows, "edge")
      : plural(rows, "row");
}

function origin(report: Report): Child {
  const bundle = isThere(report.bundle) ? report.bundle : null;
  const { rows, sources, joined } = report.data;
  const facts: [string, Child][] = [
    [
      "Data",
      bundle
        ? bundle.data.map((file) =>
            h("div", null, file.name, file.month && ` (${file.month})`, ` · ${rowsOf(file)}`),
          )
        : [...sources, ...(joined ?? [])].map((file) =>
            h("div", null, `${file.name} · ${plural(file.rows, "row")}`),
          ),
    ],
    [
      "Rows",
      `${whole(rows.read)} read, ${whole(rows.refused)} refused; ${plural(rows.kept, "account")}; ${plural(rows.repaired, "value")} repaired`,
    ],
    ["Made", time(report.made)],
    ["Program", `influence ${report.influence}`],
  ];
  if (bundle) {
    if (bundle.id) facts.push(["Bundle", h("span.mono", null, bundle.id)]);
    facts.push(["Seed", String(bundle.seed)]);
    facts.push([
      "Data hash",
      bundle.data.map((file) =>
        h("div.mono", { title: file.sha256 }, `${file.sha256.slice(0, 16)}… ${file.name}`),
      ),
    ]);
  }
  return card(
    cardHead("Where it comes from"),
    h(
      "dl.facts",
      null,
      facts.map(([name, value]) => [h("dt", null, name), h("dd", null, value)]),
    ),
  );
}

function next(report: Report, live: boolean): Child {
  const links: [string, string, string][] = [
    [
      "#/ask",
      "Ask about an account",
      "Score, tier, archetype and the most similar, for a handle or for figures you type",
    ],
    ["#/explore", "Explore the data", "Followers against engagement, correlations, groups"],
    ["#/data", "Check the data", "What was read, repaired and refused"],
  ];
  return card(
    cardHead("Where to go"),
    h(
      "ul.stack",
      null,
      links
        .filter(([href]) => live || href !== "#/ask")
        .map(([href, title, text]) =>
          h("li", null, h("a", { href }, title, "\u00a0→"), h("p.muted.small", null, text)),
        ),
    ),
    !live &&
      report.kind === "bundle" &&
      h("p.muted.small", null, "This is a report file: Ask and Live need the daemon itself."),
  );
}
