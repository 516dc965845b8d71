// SPDX-License-Identifier: Apache-2.0
// The whole answer as a table and as a picture, to be pasted or sent.

import { fileName } from "../../dom";
import { percent, points, sentence } from "../../format";
import { savePicture } from "../../picture";
import { isFormula, type Report } from "../../report";
import type { TableSpec } from "../../table";
import { theme } from "../../theme";
import type { Answer } from "./answer";
import { intervalShown, scoreScale } from "./scale";

/** A line a figure: what it is, and its value as the daemon gave it. */
export function answerTable(
  who: string,
  { score, tier, cluster }: Answer,
  given: number | null,
): TableSpec {
  const growth = score.growth;
  const rows: TableSpec["rows"] = [
    ["account", who],
    ["model", score.model],
    ["score target", score.target],
    ["score", score.score],
    ["interval from", score.interval.low],
    ["interval to", score.interval.high],
    ["interval coverage", score.interval.coverage],
    ["score percentile", score.percentile],
    ["score given in the data", given],
    ["novelty", score.novelty],
    ...Object.entries(score.composite.parts).flatMap(([name, part]): TableSpec["rows"] => [
      [`composite ${name}: percentile`, part.percentile],
      [`composite ${name}: weight`, part.weight],
    ]),
    ["composite", score.composite.score],
    ...(growth
      ? ([
          ["growth forecast", growth.forecast],
          ["growth from", growth.low],
          ["growth to", growth.high],
          ["growth months", growth.months],
        ] as TableSpec["rows"])
      : []),
    ["tier", tier.tier],
    ...Object.entries(tier.probabilities).map(([name, share]): [string, number] => [
      `probability of ${name}`,
      share,
    ]),
    ["size by followers", tier.size.claimed],
    ["size by behaviour", tier.size.predicted],
    ["audience", tier.audience?.score ?? null],
    ["audience reasons", tier.audience?.reasons.map((reason) => reason.text).join("; ") || null],
    ["archetype", cluster.name],
    ["archetype distance", cluster.distance],
    ["typical values stand in for", score.imputed.join("; ") || null],
  ];
  return {
    columns: [{ title: "figure" }, { title: "value" }],
    rows: rows.filter(([, value]) => value !== null),
  };
}

interface Written {
  label: string;
  value: string;
}

function lines(report: Report, { score, tier, cluster }: Answer, given: number | null): Written[] {
  const scale = scoreScale(report, score);
  const { low, high, coverage } = score.interval;
  const sure =
    low === high
      ? ""
      : isFormula(score)
        ? " bounds of the formula"
        : ` in ${Math.round(coverage * 10)} of 10 cases`;
  const found: (Written | false)[] = [
    {
      label: "Score",
      value: `${scale.show(score.score)}  (${intervalShown(score, scale)}${sure})`,
    },
    given !== null && { label: "Given in the data", value: scale.show(given) },
    {
      label: "Parts",
      value: Object.entries(score.composite.parts)
        .map(([name, part]) => `${name} ${points(part.percentile, 0)}`)
        .join(" · "),
    },
    { label: "Tier", value: `${tier.tier} (${percent(tier.probabilities[tier.tier], 0)})` },
    !!tier.size.claimed &&
      !!tier.size.predicted && {
        label: "Size",
        value: `${tier.size.claimed} by followers, ${tier.size.predicted} by behaviour`,
      },
    typeof tier.audience?.score === "number" && {
      label: "Audience",
      value: `${points(tier.audience.score, 0)} of 100`,
    },
    { label: "Archetype", value: cluster.name },
  ];
  return found.filter((line): line is Written => line !== false && line.value !== "");
}

const WIDTH = 680;
const LABEL_WIDTH = 150;

/** Score, tier, archetype and where they come from, as one picture. */
export function answerPicture(
  report: Report,
  who: string,
  facts: string,
  answer: Answer,
  given: number | null,
): void {
  const colours = theme();
  savePicture(`answer-${fileName(who)}`, WIDTH, (on) => {
    on.text(who, 20, 600, colours.ink);
    on.text(facts, 12, 400, colours.muted);
    on.y += 24;
    on.drawing(36, (pen, x, y) => drawTrack(pen, report, answer, given, x, y));
    for (const [i, { label, value }] of lines(report, answer, given).entries()) {
      const top = on.y;
      on.text(label, 14, 400, colours.muted);
      on.y = top;
      on.text(sentence(value), 14, i === 0 ? 600 : 400, colours.ink, LABEL_WIDTH);
      on.y += 9;
    }
  });
}

function drawTrack(
  pen: CanvasRenderingContext2D,
  report: Report,
  { score }: Answer,
  given: number | null,
  x: number,
  y: number,
): void {
  const colours = theme();
  const { low, high, show } = scoreScale(report, score);
  const place = (value: number) =>
    x + WIDTH * Math.min(Math.max((value - low) / (high - low), 0), 1);
  pen.fillStyle = colours.line;
  pen.fillRect(x, y - 1, WIDTH, 2);
  pen.globalAlpha = 0.35;
  pen.fillStyle = colours.accent;
  pen.fillRect(
    place(score.interval.low),
    y - 6,
    place(score.interval.high) - place(score.interval.low),
    12,
  );
  pen.globalAlpha = 1;
  pen.beginPath();
  pen.arc(place(score.score), y, 7, 0, 2 * Math.PI);
  pen.fill();
  pen.fillStyle = colours.ink;
  if (given !== null) pen.fillRect(place(given) - 1.5, y - 9, 3, 18);
  pen.fillStyle = colours.faint;
  pen.font = "400 11px system-ui, sans-serif";
  pen.fillText(show(low), x, y + 22);
  pen.textAlign = "right";
  pen.fillText(show(high), x + WIDTH, y + 22);
  pen.textAlign = "left";
}
