// SPDX-License-Identifier: Apache-2.0
// When posts are made, and how they do then.

import { tipRows } from "../../axes";
import { card, cardHead, chartCard, type ChartCard } from "../../chart";
import { matrixOption, type MatrixCell } from "../../charts/matrix";
import { segments } from "../../controls";
import type { Child } from "../../dom";
import { change, percent, plural, sentence, whole } from "../../format";
import { isThere, reason, type Report, type Timing } from "../../report";
import { partial } from "../../states";
import { rampAt, theme } from "../../theme";

const DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const HOURS = Array.from({ length: 24 }, (_, hour) => String(hour).padStart(2, "0"));

type Kind = "count" | "lift";

/** A mean difference of logarithms, in percent of likes. */
function liftText(lift: number | null): string {
  return lift === null ? "too few posts" : `${change(100 * Math.expm1(lift), 0)} %`;
}

const most = ({ hour_weekday }: Timing) => Math.max(...hour_weekday.flat(), 1);
const least = ({ hour_weekday }: Timing) => Math.min(...hour_weekday.flat());

function cells(timing: Timing, kind: Kind): MatrixCell[] {
  const colours = theme();
  const widest = Math.max(...timing.lift.flat().map((lift) => Math.abs(lift ?? 0)), 0.05);
  return DAYS.flatMap((day, row) =>
    HOURS.map((hour, column) => {
      const [count, lift] = [timing.hour_weekday[row][column], timing.lift[row][column]];
      const colour =
        kind === "count"
          ? rampAt(colours.amounts, count / most(timing))
          : lift === null
            ? colours.grid
            : rampAt(colours.diverging, 0.5 + lift / widest / 2);
      return {
        column,
        row,
        colour,
        tip: tipRows(`${day} ${hour}:00`, [
          ["posts", whole(count)],
          ["likes against the account's own usual", liftText(lift)],
        ]),
      };
    }),
  );
}

function title(timing: Timing, kind: Kind): string {
  let best = { day: 0, hour: 0, value: -Infinity };
  for (let day = 0; day < 7; day++)
    for (let hour = 0; hour < 24; hour++) {
      const value = kind === "count" ? timing.hour_weekday[day][hour] : timing.lift[day][hour];
      if (value !== null && value > best.value) best = { day, hour, value };
    }
  const when = `${DAYS[best.day]} ${HOURS[best.hour]}:00 UTC`;
  return kind === "count"
    ? `Posts are most frequent around ${when}`
    : `Likes are highest around ${when} (${liftText(best.value)}), which is partly luck`;
}

export function timingCard(report: Report): Child {
  const { timing } = report.explore;
  if (!isThere(timing)) return card(cardHead("Timing of posts"), partial(reason(timing, "timing")));
  let kind: Kind = "count";
  const subtitle = (of: Kind) =>
    `${of === "count" ? "posts" : "likes against the account's own usual, percent"}, by hour and weekday in UTC; ${plural(timing.posts, "post")}`;
  const reading = (of: Kind) =>
    `${of === "count" ? `The stronger the colour, the more posts: ${whole(least(timing))} to ${whole(most(timing))} in an hour of the week` : "Blue: more likes than the account's posts get otherwise; orange: fewer; grey: too few posts to say. The best of 168 hours is partly luck: Virality says what is sure"}. ${sentence(timing.utc_offset_note)}.`;
  const made: ChartCard = chartCard({
    title: title(timing, kind),
    subtitle: subtitle(kind),
    reading: reading(kind),
    name: "timing",
    height: 260,
    controls: segments(
      "show",
      [
        ["count", "posts"],
        ["lift", "likes against the account's usual"],
      ],
      kind,
      (value) => {
        kind = value;
        made.redraw({
          title: title(timing, kind),
          subtitle: subtitle(kind),
          reading: reading(kind),
        });
      },
    ),
    table: {
      columns: [
        { title: "day" },
        { title: "hour (UTC)" },
        { title: "posts" },
        {
          title: "lift (ln)",
          show: (lift) => (lift === null ? "–" : percent(Math.expm1(lift as number))),
        },
      ],
      rows: DAYS.flatMap((day, d) =>
        HOURS.map((hour, i) => [day, hour, timing.hour_weekday[d][i], timing.lift[d][i]]),
      ),
    },
    option: () => matrixOption({ columns: HOURS, rows: DAYS, cells: cells(timing, kind) }),
  });
  return made.element;
}
