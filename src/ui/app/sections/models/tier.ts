// SPDX-License-Identifier: Apache-2.0
// The tier model: which tiers it takes for which, and whether its probabilities mean what they say.

import { grid, tipRows, tooltip, valueAxis, whiskers } from "../../axes";
import { card, cardHead, chartCard } from "../../chart";
import {
  counted,
  dotHeight,
  dotOption,
  fewText,
  isLong,
  isTelling,
  ranked,
} from "../../charts/dots";
import { inkOn, matrixOption } from "../../charts/matrix";
import { h, type Child } from "../../dom";
import { percent, points, sentence, whole } from "../../format";
import {
  isThere,
  reason,
  type GroupAccuracy,
  type Maybe,
  type Report,
  type TierModel,
} from "../../report";
import { partial } from "../../states";
import { rampAt, theme } from "../../theme";

export function tierCards(report: Report, model: TierModel): Child {
  const { audience } = model;
  // Where the tier is the size, its confusion is the audience check.
  const isSame =
    isThere(audience) && JSON.stringify(audience.confusion) === JSON.stringify(model.confusion);
  return [
    h(
      "div.cards.two",
      null,
      confusionCard(
        confusionTitle(model.names, model.confusion),
        isSame
          ? "each row is a size by followers: the size that behaviour suggests; the audience check"
          : "each row is a true tier: where its accounts are put",
        model.names,
        model.confusion,
        "confusion",
        byTierText(model),
      ),
      reliabilityCard(model),
    ),
    isThere(audience)
      ? !isSame &&
        confusionCard(
          `Behaviour disagrees with followers for ${percent(audience.disagree, 0)} of accounts`,
          `the audience check: size by followers against the size that behaviour suggests; right in ${percent(audience.accuracy, 0)}`,
          audience.names,
          audience.confusion,
          "audience-check",
          "Far from the diagonal, followers and engagement do not fit: bought followers, a sleeping audience, or a viral run.",
        )
      : card(cardHead("Audience check"), partial(reason(audience, "audience"))),
    h(
      "div.cards.two",
      null,
      groupCard(report, model.by_size, "tier", "size"),
      groupCard(report, model.by_category, "category", "category"),
    ),
  ];
}

/** An average hides what it is made of. */
function groupCard(
  report: Report,
  figures: Maybe<GroupAccuracy>,
  by: "tier" | "category",
  name: string,
): Child {
  if (!isThere(figures) || figures.group.length < 2) return null;
  const rows = figures.group.map((group, i) => ({
    name: report.groups[by][group] ?? "(none)",
    value: figures.accuracy[i],
    low: figures.low[i],
    high: figures.high[i],
    n: figures.n[i],
  }));
  const sure = rows.filter(isTelling);
  const worst = sure.length > 1 ? sure.reduce((a, b) => (b.value < a.value ? b : a)) : null;
  const made = chartCard({
    title: worst
      ? `By ${name}, right least often for ${worst.name}: in ${percent(worst.value, 0)}`
      : `Right by ${name}`,
    subtitle: `share of accounts put in their own tier; 95 % intervals, n beside each ${name}`,
    reading: `The farther right, the more often accounts of this ${name} are put in their tier; where lines overlap, the difference may be chance.${fewText(rows)}`,
    name: `tier-by-${name}`,
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: name },
        { title: "accounts" },
        { title: "right", show: (p) => percent(p as number) },
        { title: "low", show: (p) => percent(p as number) },
        { title: "high", show: (p) => percent(p as number) },
      ],
      rows: rows.map((row) => [row.name, row.n, row.value, row.low, row.high]),
    },
    option: () =>
      dotOption(counted(by === "tier" ? rows : ranked(rows)), {
        unit: "fraction",
        axis: "put in their own tier",
        interval: "95 % interval",
      }),
  }).element;
  made.classList.toggle("wide", isLong(rows));
  return made;
}

function confusionTitle(names: string[], confusion: number[][]): string {
  let [worst, from, to] = [-1, 0, 0];
  confusion.forEach((row, i) => {
    const total = row.reduce((sum, count) => sum + count, 0);
    row.forEach((count, j) => {
      if (i !== j && total > 0 && count / total > worst) [worst, from, to] = [count / total, i, j];
    });
  });
  return worst > 0
    ? `${sentence(names[from])} is most often taken for ${names[to]}: ${percent(worst, 0)} of the time`
    : "No tier is taken for another";
}

function byTierText({ names, by_tier }: TierModel): string {
  return `F1 (right and complete, 1 is best): ${names.map((name, i) => `${name} ${by_tier.f1[i] === null ? "–" : points(by_tier.f1[i], 2)}`).join(", ")}.`;
}

function confusionCard(
  title: string,
  subtitle: string,
  names: string[],
  confusion: number[][],
  name: string,
  reading: string,
): Child {
  const totals = confusion.map((row) => row.reduce((sum, count) => sum + count, 0));
  return chartCard({
    title,
    subtitle,
    reading,
    name,
    height: Math.max(names.length * 40 + 80, 240),
    table: {
      columns: [
        { title: "true" },
        { title: "put in" },
        { title: "accounts" },
        { title: "share", show: (share) => percent(share as number) },
      ],
      rows: confusion.flatMap((row, i) =>
        row.map((count, j) => [names[i], names[j], count, totals[i] ? count / totals[i] : null]),
      ),
    },
    option: () => {
      const { amounts } = theme();
      return matrixOption({
        columns: names,
        rows: names,
        columnAxis: "as predicted",
        rowAxis: "",
        cells: confusion.flatMap((row, i) =>
          row.map((count, j) => {
            const share = totals[i] ? count / totals[i] : 0;
            const colour = rampAt(amounts, share);
            return {
              column: j,
              row: i,
              colour,
              text: percent(share, 0),
              textColour: inkOn(colour),
              tip: tipRows(`${names[i]}, put in ${names[j]}`, [
                ["accounts", whole(count)],
                ["of all that are", percent(share)],
              ]),
            };
          }),
        ),
      });
    },
  }).element;
}

function reliabilityCard(model: TierModel): Child {
  const { reliability } = model;
  const bins = reliability.n
    .map((n, i) => ({
      n,
      stated: reliability.stated[i],
      observed: reliability.observed[i],
      low: reliability.low[i],
      high: reliability.high[i],
    }))
    .filter(
      (bin): bin is { n: number; stated: number; observed: number; low: number; high: number } =>
        bin.stated !== null && bin.observed !== null && bin.low !== null && bin.high !== null,
    );
  const off = bins.filter((bin) => bin.stated < bin.low || bin.stated > bin.high);
  const over = off.filter((bin) => bin.stated > bin.high).length;
  const title =
    off.length === 0
      ? "Its probabilities mean what they say"
      : over * 2 >= off.length
        ? "It is somewhat too sure of itself"
        : "It is somewhat less sure than it could be";
  const largest = Math.max(...bins.map((bin) => bin.n), 1);
  return chartCard({
    title,
    subtitle:
      "stated probability of the tier named, against how often it was right; whiskers: 95 %",
    reading:
      "On the dashed line, what is said with 70 % comes true 7 of 10 times. Larger points hold more accounts.",
    name: "reliability",
    height: Math.max(model.names.length * 40 + 80, 240),
    table: {
      columns: [
        { title: "stated", show: (p) => percent(p as number) },
        { title: "observed", show: (p) => percent(p as number) },
        { title: "low", show: (p) => percent(p as number) },
        { title: "high", show: (p) => percent(p as number) },
        { title: "accounts" },
      ],
      rows: bins.map((bin) => [bin.stated, bin.observed, bin.low, bin.high, bin.n]),
    },
    option: () => {
      const colours = theme();
      const low = Math.min(
        0.9,
        ...bins.map((bin) => Math.floor(10 * Math.min(bin.stated, bin.low)) / 10),
      );
      const ends = {
        min: low,
        max: 1,
        axisLabel: { formatter: (value: number) => percent(value, 0) },
      };
      return {
        grid: grid(),
        xAxis: valueAxis("stated", "fraction", ends),
        yAxis: valueAxis("observed", "fraction", { ...ends, nameGap: 44 }),
        tooltip: tooltip((event) => {
          const bin = bins[event.dataIndex];
          return event.seriesName === "bins"
            ? tipRows(`said ${percent(bin.stated)}`, [
                ["right", percent(bin.observed)],
                ["95 % interval", `${percent(bin.low, 0)} to ${percent(bin.high, 0)}`],
                ["accounts", whole(bin.n)],
              ])
            : null;
        }),
        series: [
          {
            type: "line",
            silent: true,
            showSymbol: false,
            data: [
              [low, low],
              [1, 1],
            ],
            lineStyle: { color: colours.ghost, type: "dashed", width: 1 },
          },
          whiskers(
            bins.map((bin) => [bin.stated, bin.low, bin.high]),
            false,
            { z: 2 },
          ),
          {
            name: "bins",
            type: "scatter",
            z: 6,
            data: bins.map((bin) => [bin.stated, bin.observed, bin.n]),
            symbolSize: (value: number[]) => 6 + 10 * Math.sqrt(value[2] / largest),
            itemStyle: { color: colours.accent },
          },
        ],
      };
    },
  }).element;
}
