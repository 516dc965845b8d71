// SPDX-License-Identifier: Apache-2.0
// How the predicted score moves with two figures at once.

import { tipRows } from "../../axes";
import { card, cardHead, chartCard } from "../../chart";
import { inkOn, matrixOption } from "../../charts/matrix";
import type { Child } from "../../dom";
import { humanName, plain, sentence, whole, withUnit } from "../../format";
import { isThere, reason, type InteractionSide, type ScoreModel } from "../../report";
import { partial } from "../../states";
import { rampAt, theme } from "../../theme";
import { unitOf } from "../../unit";

function nameOf(side: InteractionSide): string {
  return humanName(side.input || side.feature);
}

export function interactionCard(model: ScoreModel): Child {
  const found = model.interaction;
  if (!isThere(found)) return card(cardHead("Two figures at once"), partial(reason(found, "interaction")));
  const { x, y, mean, count, pairs } = found;
  const { show } = unitOf(model);
  const all = mean.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return chartCard({
    title: sentence(found.text),
    subtitle: `mean predicted score as ${nameOf(x)} and ${nameOf(y)} are set to each pair of values, the other figures as they are`,
    reading: "Orange: low; blue: high. A pair without accounts near it is a guess: its tooltip says how many there are.",
    name: "interaction",
    height: y.at.length * 28 + 100,
    table: { columns: [{ title: "one figure" }, { title: "the other" }, { title: "H", show: (value: unknown) => plain(value as number) }], rows: pairs.h.map((h, i) => [humanName(pairs.a[i]), humanName(pairs.b[i]), h]) },
    option: () =>
      matrixOption({
        columns: x.at.map((value) => withUnit(value, x.unit)),
        rows: y.at.map((value) => withUnit(value, y.unit)),
        columnAxis: nameOf(x),
        rowAxis: nameOf(y),
        rotate: 40,
        cells: mean.flatMap((line, row) =>
          line.map((value, column) => {
            const colour = rampAt(theme().diverging, high > low ? (value - low) / (high - low) : 0.5);
            return { column, row, colour, text: show(value), textColour: inkOn(colour), tip: tipRows(`score ${show(value)}`, [[nameOf(x), withUnit(x.at[column], x.unit)], [nameOf(y), withUnit(y.at[row], y.unit)], ["accounts near", whole(count[row][column])]]) };
          }),
        ),
      }),
  }).element;
}
