// SPDX-License-Identifier: Apache-2.0
// Which figures move together, with the uncertainty of each.

import { remember, remembered } from "../../address";
import { isNarrow, tipRows } from "../../axes";
import { card, cardHead, chartCard, type ChartCard } from "../../chart";
import { inkOn, matrixOption, type MatrixCell } from "../../charts/matrix";
import { segments } from "../../controls";
import type { Child } from "../../dom";
import { humanName, plural, points, sentence, whole } from "../../format";
import { isThere, reason, type Correlations, type Num, type Report } from "../../report";
import { partial } from "../../states";
import { nameCell, type TableSpec } from "../../table";
import { rampAt, theme } from "../../theme";

/** From here on two figures say nearly the same; Data lists such pairs. */
const SAME = 0.95;

/** More names than this do not fit under the columns of a phone. */
const NUMBERED = 5;

/** As it is written in its cell: 0.95 is not called less. */
function isSame(value: Num): boolean {
  return Number(Math.abs(value ?? 0).toFixed(2)) >= SAME;
}

type Kind = "spearman" | "pearson";

interface Pair {
  a: number;
  b: number;
  value: Num;
  low: Num;
  high: Num;
  n: Num;
}

function pairs(found: Correlations, kind: Kind): Pair[] {
  const list: Pair[] = [];
  for (let b = 1; b < found.columns.length; b++)
    for (let a = 0; a < b; a++) {
      const at = (b * (b - 1)) / 2 + a;
      list.push({
        a,
        b,
        value: found[kind][at],
        low: found[`${kind}_low`][at],
        high: found[`${kind}_high`][at],
        n: found.n[at],
      });
    }
  return list;
}

function title(found: Correlations, kind: Kind): string {
  const known = pairs(found, kind).filter(
    (pair): pair is Pair & { value: number } => pair.value !== null,
  );
  if (known.length === 0) return "No two figures can be compared";
  const telling = known.filter((pair) => !isSame(pair.value));
  const top = (telling.length ? telling : known).reduce((x, y) =>
    Math.abs(y.value) > Math.abs(x.value) ? y : x,
  );
  const how = top.value > 0 ? "rise together" : "move against each other";
  return `${sentence(humanName(found.columns[top.a]))} and ${humanName(found.columns[top.b])} ${how} most (${points(top.value, 2)})`;
}

function correlationTable(found: Correlations, kind: Kind): TableSpec {
  const show = (value: unknown) => points(value as number, 2);
  return {
    columns: [
      { title: "figure", show: nameCell },
      { title: "and", show: nameCell },
      { title: kind, show },
      { title: "low", show },
      { title: "high", show },
      { title: "n", show: (n) => whole(n as number) },
    ],
    rows: pairs(found, kind).map((pair) => [
      found.columns[pair.a],
      found.columns[pair.b],
      pair.value,
      pair.low,
      pair.high,
      pair.n,
    ]),
  };
}

function cells(found: Correlations, kind: Kind): MatrixCell[] {
  const { diverging, muted, other } = theme();
  return pairs(found, kind).map((pair) => {
    const names = `${humanName(found.columns[pair.a])} and ${humanName(found.columns[pair.b])}`;
    if (pair.value === null || pair.low === null || pair.high === null)
      return {
        column: pair.a,
        row: pair.b - 1,
        colour: rampAt(diverging, 0.5),
        text: "–",
        textColour: other,
        tip: tipRows(names, [["", "cannot be computed"]]),
      };
    const colour = rampAt(diverging, (pair.value + 1) / 2);
    const unsure = pair.low < 0 && pair.high > 0;
    return {
      column: pair.a,
      row: pair.b - 1,
      colour,
      text: points(pair.value, 2),
      textColour: unsure ? muted : inkOn(colour),
      span: [pair.low, pair.high],
      tip: tipRows(names, [
        [kind, points(pair.value, 2)],
        ["95 % interval", `${points(pair.low, 2)} to ${points(pair.high, 2)}`],
        ["accounts", whole(pair.n)],
        ...(unsure ? ([["", "may as well be zero"]] as [string, string][]) : []),
      ]),
    };
  });
}

export function correlationCard(report: Report): Child {
  const found = report.explore.correlations;
  if (!isThere(found))
    return card(cardHead("Correlations"), partial(reason(found, "correlations")));
  let kind: Kind = remembered("correlation") === "pearson" ? "pearson" : "spearman";
  const names = found.columns.map(humanName);
  // Names under the columns take their room from the cells: on a phone numbers stand there.
  const isNumbered = () => isNarrow() && names.length > NUMBERED;
  const twins = () => pairs(found, kind).filter((pair) => isSame(pair.value)).length;
  const same = () =>
    twins()
      ? `; ${plural(twins(), "pair")} at ${SAME} or beyond, which say nearly the same, left out of the title`
      : "";
  const subtitle = () => meaning() + same();
  const meaning = () =>
    kind === "spearman"
      ? "Spearman: do the ranks agree? −1 to 1"
      : "Pearson: on a straight line, after logarithms of skewed figures? −1 to 1";
  const made: ChartCard = chartCard({
    title: title(found, kind),
    subtitle: subtitle(),
    reading: isNumbered()
      ? "Blue: they rise together; orange: one rises as the other falls; pale: neither. The columns are numbered as the rows; Table has the figures and intervals. Moving together is not causing."
      : "The line at the foot of a cell is the 95 % interval on −1 to 1; grey numbers may as well be zero. Moving together is not causing.",
    name: "correlations",
    height: Math.min(Math.max(names.length * 36 + 90, 260), 760),
    controls: segments(
      "measure",
      [
        ["spearman", "Spearman (ranks)"],
        ["pearson", "Pearson"],
      ],
      kind,
      (value) => {
        kind = value;
        remember("correlation", value);
        made.redraw({
          title: title(found, kind),
          subtitle: subtitle(),
          table: correlationTable(found, kind),
        });
      },
    ),
    table: correlationTable(found, kind),
    option: () =>
      isNumbered()
        ? matrixOption({
            columns: names.slice(0, -1).map((_, i) => String(i + 1)),
            rows: names.map((name, i) => `${name} ${i + 1}`),
            cells: cells(found, kind).map((cell) => ({ ...cell, row: cell.row + 1 })),
          })
        : matrixOption({
            columns: names.slice(0, -1),
            rows: names.slice(1),
            cells: cells(found, kind),
            rotate: 30,
          }),
  });
  return made.element;
}
