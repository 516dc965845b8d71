// SPDX-License-Identifier: Apache-2.0
// What a model goes by.

import { card, cardHead, chartCard } from "../../chart";
import { dotHeight, dotOption } from "../../charts/dots";
import type { Child } from "../../dom";
import { figureNames, plain, withUnit } from "../../format";
import { isThere, reason, type Importance, type Maybe } from "../../report";
import { partial } from "../../states";
import { nameCell } from "../../table";

const SHOWN = 15;

export function importanceCard(importance: Maybe<Importance>, name: string): Child {
  if (!isThere(importance))
    return card(cardHead(`What the ${name} goes by`), partial(reason(importance, "importance")));
  const names = figureNames(importance.feature.slice(0, SHOWN));
  const rows = names.map((name, i) => {
    const [mean, sd] = [importance.mean[i], importance.sd[i]];
    return {
      name,
      value: mean,
      low: sd === null ? null : mean - sd,
      high: sd === null ? null : mean + sd,
    };
  });
  const contribution = Array.isArray(importance.contribution) ? importance.contribution : null;
  const unsure = rows.filter((row) => row.low !== null && row.low <= 0).length;
  const show = (value: unknown) => withUnit(value as number, importance.unit);
  return chartCard({
    title: rows.length
      ? `The ${name} goes most by ${rows[0].name}${rows[1] ? `, then by ${rows[1].name}` : ""}`
      : "No feature matters",
    subtitle: `${importance.text}; whiskers: one standard deviation`,
    reading: `${unsure > 0 ? `${unsure} of the ${rows.length} may as well not matter: ${unsure === 1 ? "its whisker reaches" : "their whiskers reach"} zero. ` : ""}Features that say the same share the credit.`,
    name: `importance-${name}`,
    height: dotHeight(rows.length),
    table: {
      columns: [
        { title: "feature", show: nameCell },
        { title: "mean", show },
        { title: "sd", show },
        {
          title: "mean |contribution|",
          help: `how much it moves an answer, whichever way${importance.contribution_unit ? `, in ${importance.contribution_unit}` : ""}`,
          show: (value) => (value === null ? "–" : plain(value as number)),
        },
      ],
      rows: importance.feature.map((feature, i) => [
        feature,
        importance.mean[i],
        importance.sd[i],
        contribution?.[i] ?? null,
      ]),
    },
    option: () =>
      dotOption(rows, {
        unit: importance.unit,
        axis:
          importance.unit === "fraction"
            ? "fall of the share told right"
            : `error added, ${importance.unit}`,
        bars: true,
        interval: "one sd",
      }),
  }).element;
}
