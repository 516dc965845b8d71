// SPDX-License-Identifier: Apache-2.0
// From where to where the score is drawn.

import type { ScoreAnswer } from "../../api";
import { isThere, type Report } from "../../report";
import { unitOf, type Unit } from "../../unit";

export interface Scale extends Unit {
  low: number;
  high: number;
}

/** Of all these answers at once, so that they can be compared. */
export function scoreScale(report: Report, ...answers: (ScoreAnswer | null)[]): Scale {
  const unit = unitOf(isThere(report.models) ? report.models.score : undefined);
  const given = answers.filter((answer): answer is ScoreAnswer => answer !== null);
  return { ...unit, ...(unit.axis === "points" ? pointsRange : ownRange)(report, given) };
}

export function intervalShown({ interval: { low, high } }: ScoreAnswer, { show }: Unit): string {
  return low === high ? "exact" : `${show(low)} to ${show(high)}`;
}

/** Scores live in 0..100; a label that uses only its upper part gets that part. */
function pointsRange(report: Report, answers: ScoreAnswer[]): { low: number; high: number } {
  const label = report.data.columns.find((column) => column.name === "influence_score");
  const seen = answers[0]?.target === "influence_score" ? (label?.q05 ?? 0) - 15 : 0;
  const low = Math.min(seen, ...answers.map((answer) => answer.interval.low));
  return { low: Math.max(0, 10 * Math.floor(low / 10)), high: 100 };
}

/** What most accounts have, and whatever the answers need beyond it. */
function ownRange(report: Report, answers: ScoreAnswer[]): { low: number; high: number } {
  const column = report.data.columns.find((entry) => entry.name === answers[0]?.target);
  const low = Math.min(column?.q05 ?? Infinity, ...answers.map((answer) => answer.interval.low));
  const high = Math.max(column?.q95 ?? -Infinity, ...answers.map((answer) => answer.interval.high));
  return Number.isFinite(low) && high > low ? { low, high } : { low: 0, high: 1 };
}
