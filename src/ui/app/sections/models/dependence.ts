// SPDX-License-Identifier: Apache-2.0
// How the predicted score moves with one figure, the others as they are.

import { grid, logAxis, tipRows, tooltip, valueAxis } from "../../axes";
import { card, cardHead, chartCard } from "../../chart";
import { select } from "../../controls";
import { h, type Child } from "../../dom";
import type { Option } from "../../echarts";
import { figureName, humanName, plain, sentence, withUnit } from "../../format";
import { isThere, reason, type Dependence, type ScoreModel } from "../../report";
import { partial } from "../../states";
import { theme } from "../../theme";
import { unitOf, type Unit } from "../../unit";

export function dependenceCard(model: ScoreModel): Child {
  const all = model.dependence;
  if (!isThere(all) || all.length === 0)
    return card(
      cardHead("How the score moves with one figure"),
      partial(reason(isThere(all) ? undefined : all, "dependence")),
    );
  const element = h("div");
  let chosen = 0;
  const draw = () => {
    const made = chartCard(
      spec(all, chosen, unitOf(model), (index) => {
        chosen = index;
        draw();
        element.querySelector("select")?.focus();
      }),
    );
    element.replaceChildren(made.element);
  };
  draw();
  return element;
}

/** A figure that people type and that spans decades is drawn on a log scale. */
function isLog(one: Dependence): boolean {
  return one.input !== "" && one.x[0] > 0 && one.x[one.x.length - 1] / one.x[0] > 50;
}

function spec(
  all: Dependence[],
  chosen: number,
  unit: Unit,
  onChoose: (index: number) => void,
): Parameters<typeof chartCard>[0] {
  const one = all[chosen];
  const name = figureName(one.input || one.feature);
  const total = one.mean[one.mean.length - 1] - one.mean[0];
  const options = all.map((entry, i): [string, string] => [
    String(i),
    humanName(entry.input || entry.feature),
  ]);
  return {
    title:
      `From the lowest to the highest ${name} the score ${total < 0 ? "falls" : "rises"} by ${unit.show(Math.abs(total))} ${unit.name}`.trimEnd(),
    subtitle: `mean predicted score as ${name} is set to each value, the other figures as they are; band: the middle 80 % of accounts`,
    reading:
      "The bars at the foot show where accounts are: where there are few, the curve is a guess. It is what the model does, not what the world would do.",
    name: `dependence-${one.feature}`,
    height: 320,
    controls: select("figure", options, String(chosen), (value) => onChoose(Number(value))),
    table: {
      columns: [
        { title: name, show: (x) => withUnit(x, one.unit) },
        ...["mean", "low", "high"].map((title) => ({
          title,
          show: (value: unknown) => unit.show(value as number),
        })),
        { title: "share near", show: (value) => plain(value as number) },
      ],
      rows: one.x.map((x, i) => [x, one.mean[i], one.low[i], one.high[i], one.density[i]]),
    },
    option: () => option(one, name, unit),
  };
}

function option(one: Dependence, name: string, { axis: scoreAxis, show }: Unit): Option {
  const colours = theme();
  const [low, high] = [Math.min(...one.low), Math.max(...one.high)];
  const floor = low - (high - low) * 0.18;
  const most = Math.max(...one.density, 1e-9);
  const axis = isLog(one) ? logAxis : valueAxis;
  return {
    grid: grid(),
    xAxis: axis(
      one.input ? name : `${sentence(name)}${one.unit ? `, ${one.unit}` : ""}`,
      one.unit,
      { min: one.x[0], max: one.x[one.x.length - 1], splitLine: { show: false } },
    ),
    yAxis: valueAxis("score", scoreAxis, {
      min: floor,
      max: high,
      nameGap: 36,
      axisLabel: { showMinLabel: false, showMaxLabel: false },
    }),
    tooltip: tooltip((events) => {
      const i = events[0]?.dataIndex ?? 0;
      return tipRows(`${name} ${withUnit(one.x[i], one.unit)}`, [
        ["mean score", show(one.mean[i])],
        ["middle 80 %", `${show(one.low[i])} to ${show(one.high[i])}`],
      ]);
    }, "axis"),
    series: [
      {
        type: "custom",
        silent: true,
        data: one.x.map((x, i) => [x, one.low[i]]),
        renderItem: (item: { dataIndex: number }, api: any) => drawBackground(item.dataIndex, api),
      },
      {
        type: "line",
        data: one.x.map((x, i) => [x, one.mean[i]]),
        showSymbol: false,
        lineStyle: { color: colours.accent, width: 2 },
        itemStyle: { color: colours.accent },
      },
    ],
  };

  /** The band once, with the first point; a density bar with every point. */
  function drawBackground(i: number, api: any): object {
    const [x] = api.coord([one.x[i], floor]);
    const base = api.coord([one.x[i], floor])[1];
    const height = (one.density[i] / most) * 36;
    const children: object[] = [
      {
        type: "rect",
        shape: { x: x - 2, y: base - height, width: 4, height },
        style: { fill: colours.other, opacity: 0.5 },
      },
    ];
    if (i === 0) {
      const upper = one.x.map((value, k) => api.coord([value, one.high[k]]));
      const lower = one.x.map((value, k) => api.coord([value, one.low[k]])).reverse();
      children.push({
        type: "polygon",
        shape: { points: [...upper, ...lower] },
        style: { fill: colours.accent, opacity: 0.16 },
      });
    }
    return { type: "group", children };
  }
}
