// SPDX-License-Identifier: Apache-2.0
// The answer: score with interval, tier with the audience check, archetype, the parts of the
// composite. What was answered before stays as a ghost.

import type { ClusterAnswer, GrowthAnswer, ScoreAnswer, TierAnswer } from "../../api";
import { card, cardHead } from "../../chart";
import { h, type Child } from "../../dom";
import { change, humanName, percent, plain, points, sentence } from "../../format";
import { isThere, type Report } from "../../report";
import { note } from "../../states";
import { scoreScale, type Scale } from "./scale";

/** The four answers to one question. */
export interface Answer {
  score: ScoreAnswer;
  tier: TierAnswer;
  cluster: ClusterAnswer;
}

export interface Ghost {
  answer: Answer;
  /** What it was: "as catalogued", "before". */
  name: string;
}

const NOVEL = 98;

function at(share: number): string {
  return `${Math.min(Math.max(share, 0), 1) * 100}%`;
}

/** A track from low to high with the interval as a band, the score as a point, the ghost as a ring. */
export function intervalTrack(answer: ScoreAnswer, ghost: ScoreAnswer | null, { low, high, show }: Scale): HTMLElement {
  const place = (value: number) => at((value - low) / (high - low));
  const band = (of: ScoreAnswer, kind: string) =>
    h(`i.band.${kind}`, { style: { left: place(of.interval.low), width: `calc(${place(of.interval.high)} - ${place(of.interval.low)})` } });
  const tick = (value: number) => show(value).replace(/\.0$/, "");
  return h(
    "div.track",
    { role: "img", "aria-label": `Score ${show(answer.score)}, interval ${show(answer.interval.low)} to ${show(answer.interval.high)}` },
    band(answer, "now"),
    ghost && h("i.dot.ghost", { style: { left: place(ghost.score) }, title: `before: ${show(ghost.score)}` }),
    h("i.dot.now", { style: { left: place(answer.score) } }),
    h("span.tick", { style: { left: "0%" } }, tick(low)),
    h("span.tick", { style: { left: "50%" } }, tick((low + high) / 2)),
    h("span.tick.end", { style: { left: "100%" } }, tick(high)),
  );
}

export function scoreCard(report: Report, answer: Answer, ghost: Ghost | null): HTMLElement {
  const { score } = answer;
  const before = ghost?.answer.score ?? null;
  const scale = scoreScale(report, score, before);
  const { show } = scale;
  const delta = before ? score.score - before.score : null;
  const isFormula = score.target === "composite";
  return card(
    cardHead("Score", score.target === "composite" ? "the open formula of five percentiles, 0 to 100" : `${score.target.replace(/_/g, " ")} as the model expects it${scale.name && `, in ${scale.name}`}`),
    h(
      "div.score-line",
      null,
      h("output.score-value", { title: `score of /score, model ${score.model}` }, show(score.score)),
      delta !== null && ghost && h(delta >= 0 ? "span.delta.up" : "span.delta.down", { title: `was ${show(before!.score)} ${ghost.name}` }, scale.change(delta), h("span.muted.small", null, ` against ${show(before!.score)} ${ghost.name}`)),
    ),
    intervalTrack(score, before, scale),
    intervalText(score, show),
    h("p.reading", null, `Higher than ${percent(score.percentile / 100, 0)} of the accounts in this bundle.`),
    score.growth && growthText(score.growth),
    score.novelty >= NOVEL && note(isFormula ? "info" : "warning", `Unlike nearly everything in the training data (novelty ${points(score.novelty, 0)} of 100): take ${isFormula ? "tier and archetype" : "the score"} as a guess.`),
    score.imputed.length > 0 && note("info", `Not given, so ${isFormula ? "for tier and archetype " : ""}typical values stand in for: ${score.imputed.map(humanName).join(", ")}.`),
    score.unknown_fields && note("warning", `The daemon does not know: ${score.unknown_fields.join(", ")}.`),
  );
}

function intervalText({ target, interval }: ScoreAnswer, show: Scale["show"]): Child {
  const isComposite = target === "composite";
  if (isComposite && interval.low === interval.high) return h("p.reading", null, "Exact: every figure of the formula is given.");
  const meaning = isComposite
    ? "bounds: where the score would lie if the missing figures were the worst, and the best, seen"
    : `${percent(interval.coverage, 0)} interval: in ${Math.round(interval.coverage * 10)} of 10 cases like this the real score lay inside`;
  return h("p.reading", null, h("strong", null, `${show(interval.low)} to ${show(interval.high)}`), ` · ${meaning}.`);
}

function growthText({ forecast, low, high, coverage, months, percentile }: GrowthAnswer): Child {
  const followers = (share: number) => `${change(100 * share)} %`;
  return h("p.reading", null, h("strong", null, `Growth ${followers(forecast)} in ${plain(months)} months`), ` · ${followers(low)} to ${followers(high)} in ${Math.round(coverage * 10)} of 10 cases; more than ${percent(percentile / 100, 0)} of the accounts. `, h("a", { href: "#/models" }, "How far to trust it →"));
}

/** Rows of name, bar, share; the ghost as a tick on the bar. */
function shareBars(rows: { name: string; share: number; before: number | null; marked: boolean; help?: string }[]): HTMLElement {
  return h(
    "div.shares",
    null,
    rows.map((row) => [
      h(row.marked ? "span.share-name.marked" : "span.share-name", { title: row.help }, row.name),
      h(
        "span.bar-cell",
        { "aria-hidden": "true" },
        h(row.marked ? "i.marked" : "i", { style: { width: at(row.share) } }),
        row.before !== null && h("b.before", { style: { left: at(row.before) } }),
      ),
      h("span.share-value", null, percent(row.share, row.share < 0.1 ? 1 : 0)),
    ]),
  );
}

export function tierCard(answer: Answer, ghost: Ghost | null): HTMLElement {
  const { tier } = answer;
  const rows = Object.entries(tier.probabilities).map(([name, share]) => ({
    name,
    share,
    before: ghost?.answer.tier.probabilities[name] ?? null,
    marked: name === tier.tier,
  }));
  return card(
    cardHead(`Tier: ${tier.tier}`, tierTarget(tier.target)),
    shareBars(rows),
    audienceCheck(tier),
  );
}

function tierTarget(target: string): string {
  if (target === "size") return "size as its behaviour suggests, the follower count not shown to the model; calibrated probabilities";
  if (target.startsWith("column:")) return `${target.slice(7)} as given in the data; calibrated probabilities`;
  return `${target.replace(/_/g, " ")}; calibrated probabilities`;
}

/** 0 to 100 with its reasons, under what the sizes say. */
function audienceCheck(tier: TierAnswer): Child {
  const { audience } = tier;
  if (!audience) return sizeCheck(tier);
  const finding = audience.score === null ? "Audience" : `Audience ${points(audience.score, 0)} of 100`;
  return [
    sizeCheck(tier),
    h("p.reading", { title: "100: like its peers of the same size in all that is known; a reason to look, not a proof" }, h("strong", null, finding), audience.reasons.length ? `: ${audience.reasons.map((reason) => reason.text).join("; ")}.` : audience.score === null ? " cannot be judged: too few accounts of its size in the data." : ": nothing unlike its peers of the same size."),
  ];
}

function sizeCheck({ size }: TierAnswer): Child {
  if (!size.claimed) return h("p.reading", null, "Audience check: needs the number of followers.");
  if (!size.predicted) return h("p.reading", null, `Size by followers: ${size.claimed}. This bundle has no model to check it against.`);
  const sure = percent(size.confidence, 0);
  if (size.disagrees)
    return note("warning", h("strong", null, "Audience check: "), `its followers say ${size.claimed}, its engagement behaves like ${size.predicted} (${sure} sure). Bought followers, a sleeping audience or a viral run look like this.`);
  return h("p.reading", null, h("strong", null, "Audience check: "), `${size.claimed} by followers, and it behaves like it (${sure} sure).`);
}

export function clusterCard(report: Report, answer: Answer, ghost: Ghost | null): HTMLElement {
  const { cluster } = answer;
  const names = isThere(report.archetypes) ? report.archetypes.names : [];
  const rows = cluster.membership.map((share, i) => ({
    name: names[i] ?? (i === cluster.cluster ? cluster.name : `archetype ${i + 1}`),
    share,
    before: ghost?.answer.cluster.membership[i] ?? null,
    marked: i === cluster.cluster,
  }));
  const isOdd = cluster.distance_percentile > 95;
  return card(
    cardHead(`Archetype: ${cluster.name}`, "how near each archetype's centre it is"),
    shareBars(rows.sort((a, b) => b.share - a.share).slice(0, 6)),
    h("ul.chips", null, cluster.traits.slice(0, 4).map((trait) => h("li.badge", null, traitText(trait)))),
    isOdd && h("p.reading", null, `An untypical member: farther from the centre than ${percent(cluster.distance_percentile / 100, 0)} of its accounts.`),
    h("p.reading", null, h("a", { href: "#/archetypes" }, "What the archetypes are →")),
  );
}

/** "more average likes (+1.3 sd)" */
function traitText(trait: unknown): string {
  if (typeof trait === "string") return trait;
  const { feature, z } = trait as { feature: string; z: number };
  return `${humanName(feature)} ${change(z)} sd`;
}

export function compositeCard(report: Report, answer: Answer, ghost: Ghost | null): HTMLElement {
  const { composite } = answer.score;
  const help = isThere(report.models) && isThere(report.models.score) ? report.models.score.composite.parts : {};
  const parts = Object.entries(composite.parts);
  const rows = parts.map(([name, part]) => {
    const before = ghost?.answer.score.composite.parts[name];
    return { name: `${sentence(name)} × ${percent(part.weight, 0)}`, share: part.percentile / 100, before: before ? before.percentile / 100 : null, marked: false, help: help[name] };
  });
  return card(
    cardHead(`Composite: ${points(composite.score)}`, "open formula: the percentile of each part among all accounts, times its weight"),
    parts.length > 0 ? shareBars(rows) : h("p.muted", null, "None of its parts can be computed from what is given."),
    h("p.reading", null, "100 % is the highest of all accounts. Parts that cannot be computed pass their weight on to the others."),
  );
}
