// SPDX-License-Identifier: Apache-2.0
// Up to four accounts side by side: the one asked about, and those picked beside it.

import { askAddress } from "../../address";
import {
  ApiError,
  call,
  type ClusterAnswer,
  type Profile,
  type ScoreAnswer,
  type TierAnswer,
} from "../../api";
import { card, cardHead } from "../../chart";
import { h, replace, type Child } from "../../dom";
import { humanName, points, sentence, withUnit } from "../../format";
import { icon } from "../../icons";
import { saveTablePicture } from "../../picture";
import type { Column, Report } from "../../report";
import { downloadCsv, type Cell, type TableSpec } from "../../table";
import { givenScore, intervalTrack, type Answer } from "./answer";
import { COMPARED_MAX, figureOf } from "./question";
import { intervalShown, scoreScale } from "./scale";
import { searchBox } from "./search";

interface Entry {
  title: string;
  handle: string;
  profile: Profile;
  answer: Answer | null;
  problem: string;
}

export interface ComparePanel {
  element: HTMLElement;
  /** Show `answer` beside the accounts named. */
  show: (title: string, profile: Profile, answer: Answer, handles: string[]) => Promise<void>;
}

const FIGURES_MAX = 8;

export function comparePanel(
  report: Report,
  fields: Column[],
  onChange: (add: string, remove: string) => void,
): ComparePanel {
  const body = h("div.table-scroll.whole", {
    tabindex: 0,
    role: "region",
    "aria-label": "Comparison",
  });
  const search = searchBox("Add an account to compare", (handle) => {
    search.set("");
    onChange(handle, "");
  });
  let compared: Entry[] = [];
  const csv = () => downloadCsv(plainTable(compared, fields), "comparison");
  const png = () =>
    saveTablePicture(
      "comparison",
      `${compared.map((entry) => entry.title).join(", ")} compared`,
      "as the model answers and the data say, side by side",
      shownTable(report, compared, fields),
    );
  const exports_ = h("div", { hidden: true }, [
    h(
      "button.quiet",
      { type: "button", "aria-label": "CSV of the comparison", onclick: csv },
      "CSV",
    ),
    h(
      "button.quiet",
      { type: "button", "aria-label": "PNG of the comparison", onclick: png },
      "PNG",
    ),
  ]);
  const full = h(
    "p.reading",
    { hidden: true },
    `${COMPARED_MAX} stand side by side: remove one to add another.`,
  );
  const element = card(
    cardHead("Compare", `up to ${COMPARED_MAX} side by side`, exports_),
    h("div.controls", null, search.element),
    full,
    body,
  );
  const known = new Map<string, Promise<Entry>>();
  let shown = 0;

  const entryOf = (handle: string): Promise<Entry> => {
    const key = handle.toLowerCase();
    if (!known.has(key)) known.set(key, askEntry(handle));
    return known.get(key)!;
  };
  const show: ComparePanel["show"] = async (title, profile, answer, handles) => {
    const mine = ++shown;
    const others = await Promise.all(handles.map(entryOf));
    if (mine !== shown) return;
    // What failed may go well the next time.
    for (const other of others) if (!other.answer) known.delete(other.handle.toLowerCase());
    const entries: Entry[] = [{ title, handle: "", profile, answer, problem: "" }, ...others];
    search.element.hidden = entries.length >= COMPARED_MAX;
    full.hidden = !search.element.hidden;
    exports_.hidden = others.length === 0;
    if (others.length === 0) {
      replace(
        body,
        h("p.muted", null, "Add accounts here, or with + in the list of the similar ones."),
      );
      return;
    }
    compared = entries;
    replace(
      body,
      drawTable(report, entries, fields, (handle) => onChange("", handle)),
    );
  };
  return { element, show };
}

async function askEntry(handle: string): Promise<Entry> {
  const by = `handle=${encodeURIComponent(handle)}`;
  try {
    const [found, score, tier, cluster] = await Promise.all([
      call<{ profile: Profile }>(`influencers?${by}`),
      call<ScoreAnswer>(`score?${by}`),
      call<TierAnswer>(`tier?${by}`),
      call<ClusterAnswer>(`cluster?${by}`),
    ]);
    return {
      title: handle,
      handle,
      profile: found.profile,
      answer: { score, tier, cluster },
      problem: "",
    };
  } catch (problem) {
    return {
      title: handle,
      handle,
      profile: {},
      answer: null,
      problem: (problem as ApiError).message,
    };
  }
}

interface Line {
  name: string;
  value: (entry: Entry) => Cell;
  show?: (entry: Entry) => string;
  /** The drawn score has these at its side. */
  isExportOnly?: boolean;
}

/** A figure as a number, also where it was typed as "250k"; texts as they are. */
function cellOf(entry: Entry, field: Column): Cell {
  const value = entry.profile[field.name];
  if (field.kind === "number") return figureOf(entry.profile, field.name);
  return value === undefined ? null : String(value);
}

/** Name and value of each line, for the screen and the export alike; none that nobody has. */
function lines(fields: Column[], entries: Entry[]): Line[] {
  return allLines(fields).filter(
    (line) => line.name === "score" || entries.some((entry) => line.value(entry) !== null),
  );
}

function allLines(fields: Column[]): Line[] {
  const parts = ["reach", "engagement", "activity", "growth", "consistency"];
  const given = (entry: Entry) =>
    entry.answer ? givenScore(entry.answer.score, entry.profile) : null;
  return [
    { name: "score", value: (entry) => entry.answer?.score.score ?? null },
    {
      name: "score, low",
      value: (entry) => entry.answer?.score.interval.low ?? null,
      isExportOnly: true,
    },
    {
      name: "score, high",
      value: (entry) => entry.answer?.score.interval.high ?? null,
      isExportOnly: true,
    },
    { name: "score given in the data", value: given },
    { name: "tier", value: (entry) => entry.answer?.tier.tier ?? null },
    { name: "archetype", value: (entry) => entry.answer?.cluster.name ?? null },
    ...parts.map((part) => ({
      name: `${part} (percentile)`,
      value: (entry: Entry) => entry.answer?.score.composite.parts[part]?.percentile ?? null,
      show: (entry: Entry) => points(entry.answer?.score.composite.parts[part]?.percentile, 0),
    })),
    ...fields.slice(0, FIGURES_MAX).map((field) => ({
      name: humanName(field.name),
      value: (entry: Entry) => cellOf(entry, field),
      show: (entry: Entry) => withUnit(cellOf(entry, field), field.unit),
    })),
  ];
}

function tableOf(entries: Entry[], rows: Cell[][]): TableSpec {
  return {
    columns: ["", ...entries.map((entry) => entry.title)].map((title) => ({ title })),
    rows,
  };
}

/** Its figures as they are. */
function plainTable(entries: Entry[], fields: Column[]): TableSpec {
  return tableOf(
    entries,
    lines(fields, entries).map((line) => [line.name, ...entries.map(line.value)]),
  );
}

/** The lines of the screen, as texts. */
function shownTable(report: Report, entries: Entry[], fields: Column[]): TableSpec {
  const scale = scoreScale(report, ...entries.map((entry) => entry.answer?.score ?? null));
  const scoreOf = ({ answer }: Entry) =>
    answer && `${scale.show(answer.score.score)} (${intervalShown(answer.score, scale)})`;
  const shown = lines(fields, entries).filter((line) => !line.isExportOnly);
  return tableOf(
    entries,
    shown.map((line) => [
      sentence(line.name),
      ...entries.map((entry) => {
        if (line.name === "score") return scoreOf(entry);
        return line.show ? line.show(entry) : line.value(entry);
      }),
    ]),
  );
}

function drawTable(
  report: Report,
  entries: Entry[],
  fields: Column[],
  remove: (handle: string) => void,
): HTMLElement {
  const scale = scoreScale(report, ...entries.map((entry) => entry.answer?.score ?? null));
  const score = (entry: Entry): Child =>
    entry.answer
      ? h(
          "div",
          null,
          h("strong", null, scale.show(entry.answer.score.score)),
          h("span.muted.small", null, ` ${intervalShown(entry.answer.score, scale)}`),
          intervalTrack(
            entry.answer.score,
            null,
            scale,
            givenScore(entry.answer.score, entry.profile),
          ),
        )
      : h("span.muted", null, entry.problem);
  const heads = entries.map((entry) =>
    h(
      "th",
      { scope: "col" },
      h(
        "div.row",
        null,
        entry.handle
          ? h("a", { href: askAddress(entry.handle) }, entry.title)
          : h("span", null, entry.title),
        entry.handle &&
          h(
            "button.icon.small-icon",
            {
              type: "button",
              "aria-label": `Remove ${entry.title}`,
              onclick: () => remove(entry.handle),
            },
            icon("close"),
          ),
      ),
    ),
  );
  const shown = lines(fields, entries).filter((line) => !line.isExportOnly);
  return h(
    "table.compare",
    null,
    h("caption.hidden", null, "Accounts side by side"),
    h("thead", null, h("tr", null, h("td"), heads)),
    h(
      "tbody",
      null,
      shown.map((line) =>
        h(
          "tr",
          null,
          h("th", { scope: "row" }, sentence(line.name)),
          entries.map((entry) =>
            h(
              "td",
              null,
              line.name === "score"
                ? score(entry)
                : line.show
                  ? line.show(entry)
                  : (line.value(entry) ?? "–"),
            ),
          ),
        ),
      ),
    ),
  );
}
