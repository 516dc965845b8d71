// SPDX-License-Identifier: Apache-2.0
// How the predicted score moves with two figures at once.

import { tipRows } from "../../axes";
import { card, cardHead, chartCard } from "../../chart";
import { inkOn, matrixOption } from "../../charts/matrix";
import type { Child } from "../../dom";
import { humanName, plain, sentence, whole, withUnit } from "../../format";
import {
  isThere,
  reason,
  type Interaction,
  type InteractionSide,
  type ScoreModel,
} from "../../report";
import { partial } from "../../states";
import { rampAt, theme } from "../../theme";
import { unitOf } from "../../unit";

/** H below this is the noise of floating point, or too little to speak of. */
const NOTHING = 0.005;

function nameOf(side: InteractionSide): string {
  return humanName(side.input || side.feature);
}

/** How far from adding up, of the pairs that do so least. */
function pairsText({ a, b, h }: Interaction["pairs"]): string {
  const order = h
    .map((_, i) => i)
    .sort((i, j) => h[j] - h[i])
    .slice(0, 3);
  return `Share of a pair's effect that is not the sum of two (H): ${order.map((i) => `${humanName(a[i])} with ${humanName(b[i])} ${h[i] < NOTHING ? "none" : plain(h[i])}`).join("; ")}.`;
}

export function interactionCard(model: ScoreModel): Child {
  const found = model.interaction;
  if (!isThere(found))
    return card(cardHead("Two figures at once"), partial(reason(found, "interaction")));
  const { x, y, mean, count, pairs } = found;
  if (Math.max(0, found.h, ...pairs.h) < NOTHING)
    return card(
      cardHead(
        "Two figures at once: they add up",
        `of the ${whole(pairs.h.length)} pairs tried no effect differs from the sum of the two (H below ${NOTHING})`,
      ),
    );
  const { show } = unitOf(model);
  const all = mean.flat();
  const [low, high] = [Math.min(...all), Math.max(...all)];
  return chartCard({
    title: sentence(found.text),
    subtitle: `mean predicted score as ${nameOf(x)} and ${nameOf(y)} are set to each pair of values, the other figures as they are`,
    reading: `The stronger the colour, the higher the score. Pale cells in brackets have no account near them: a guess. ${pairsText(pairs)}`,
    name: "interaction",
    height: y.at.length * 28 + 100,
    table: {
      columns: [
        { title: nameOf(x), show: (value) => withUnit(value, x.unit) },
        { title: nameOf(y), show: (value) => withUnit(value, y.unit) },
        { title: "mean score", show: (value) => show(value as number) },
        { title: "accounts near", show: (n) => whole(n as number) },
      ],
      rows: mean.flatMap((line, row) =>
        line.map((value, column) => [x.at[column], y.at[row], value, count[row][column]]),
      ),
    },
    option: () =>
      matrixOption({
        columns: x.at.map((value) => withUnit(value, x.unit)),
        // From the bottom up, as on any axis.
        rows: y.at.map((value) => withUnit(value, y.unit)).reverse(),
        columnAxis: nameOf(x),
        rowAxis: nameOf(y),
        rotate: 40,
        cells: mean.flatMap((line, row) =>
          line.map((value, column) => {
            const isGuess = count[row][column] === 0;
            const colour = isGuess
              ? theme().grid
              : rampAt(theme().amounts, high > low ? (value - low) / (high - low) : 0.5);
            return {
              column,
              row: y.at.length - 1 - row,
              colour,
              text: isGuess ? `(${show(value)})` : show(value),
              textColour: isGuess ? theme().muted : inkOn(colour),
              tip: tipRows(`score ${show(value)}`, [
                [nameOf(x), withUnit(x.at[column], x.unit)],
                [nameOf(y), withUnit(y.at[row], y.unit)],
                ["accounts near", whole(count[row][column])],
              ]),
            };
          }),
        ),
      }),
  }).element;
}
