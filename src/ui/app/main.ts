// SPDX-License-Identifier: Apache-2.0
// The frame: gets the report, draws header and rail, and leads from section to section by the
// address (#/explore, #/ask?handle=...).

import { readAddress } from "./address";
import { ApiError, call, useToken } from "./api";
import type { Context, Section } from "./context";
import { h, replace } from "./dom";
import { knowNames, time } from "./format";
import { icon } from "./icons";
import { setSource } from "./picture";
import { isThere, lacking, namesIn, type Report } from "./report";
import { archetypes } from "./sections/archetypes";
import { ask } from "./sections/ask";
import { data } from "./sections/data";
import { explore } from "./sections/explore";
import { live } from "./sections/live";
import { models } from "./sections/models";
import { network } from "./sections/network";
import { overview, titleOf } from "./sections/overview";
import { virality } from "./sections/virality";
import { failure, skeleton } from "./states";
import { setTables } from "./table";
import { isDark, onThemeChange, toggleTheme } from "./theme";

const SECTIONS: { id: string; title: string; icon: string; draw: Section }[] = [
  { id: "overview", title: "Overview", icon: "overview", draw: overview },
  { id: "ask", title: "Ask", icon: "ask", draw: ask },
  { id: "explore", title: "Explore", icon: "explore", draw: explore },
  { id: "data", title: "Data", icon: "data", draw: data },
  { id: "models", title: "Models", icon: "models", draw: models },
  { id: "archetypes", title: "Archetypes", icon: "archetypes", draw: archetypes },
  { id: "network", title: "Network", icon: "network", draw: network },
  { id: "virality", title: "Virality", icon: "virality", draw: virality },
  { id: "live", title: "Live", icon: "live", draw: live },
];

const app = document.getElementById("app") as HTMLElement;

async function loadReport(): Promise<Context> {
  const inlined = document.getElementById("report");
  if (inlined) return { report: JSON.parse(inlined.textContent ?? ""), live: false };
  const [report, ready] = await Promise.all([
    call<Report>("report"),
    call<{ model: string }>("-/ready").catch(() => null),
  ]);
  // The report is written before its bundle has a name.
  if (isThere(report.bundle) && !report.bundle.id && ready) report.bundle.id = ready.model;
  return { report, live: true };
}

function themeButton(): HTMLElement {
  const button = h("button.icon", { type: "button", onclick: toggleTheme });
  const draw = () => {
    const name = isDark() ? "Switch to the light theme" : "Switch to the dark theme";
    button.setAttribute("aria-label", name);
    button.title = name;
    replace(button, icon(isDark() ? "sun" : "moon"));
  };
  draw();
  onThemeChange(draw);
  return button;
}

function header(context: Context | null): HTMLElement {
  const report = context?.report;
  const bundle = report && isThere(report.bundle) ? report.bundle : null;
  return h(
    "header.bar",
    null,
    h("h1", null, h("a.brand", { href: "#/overview" }, icon("logo"), "influence")),
    h(
      "div.bar-facts",
      null,
      report?.synthetic &&
        h(
          "span.badge.synthetic",
          { title: "Invented by influence synth: no real people" },
          "synthetic demo data",
        ),
      report && h("span.title", { title: titleOf(report) }, titleOf(report)),
      bundle?.id && h("span.id", { title: "Version of the bundle" }, bundle.id),
      report && h("span.made", null, time(report.made)),
      context &&
        !context.live &&
        h("span.badge", { title: "One file with its data inside; asks no server" }, "report file"),
    ),
    themeButton(),
  );
}

function rail(): { element: HTMLElement; mark: (id: string) => void } {
  const links = SECTIONS.map((section) =>
    h("a", { href: `#/${section.id}` }, icon(section.icon), h("span", null, section.title)),
  );
  const element = h(
    "nav.rail",
    { "aria-label": "Sections" },
    h(
      "ul",
      null,
      links.map((link) => h("li", null, link)),
    ),
  );
  const mark = (id: string) =>
    links.forEach((link, i) => {
      if (SECTIONS[i].id === id) {
        link.setAttribute("aria-current", "page");
        link.scrollIntoView({ block: "nearest", inline: "center" });
      } else link.removeAttribute("aria-current");
    });
  return { element, mark };
}

function run(context: Context): void {
  const main = h("main", { id: "main", tabindex: -1 });
  const nav = rail();
  const skip = h(
    "a.skip",
    { href: "#main", onclick: (event: Event) => (event.preventDefault(), main.focus()) },
    "Skip to the content",
  );
  replace(app, skip, header(context), h("div.frame", null, nav.element, main));
  let leave: void | (() => void);
  let current = "";
  const go = () => {
    const { path, query } = readAddress();
    const section = SECTIONS.find((entry) => entry.id === path) ?? SECTIONS[0];
    const { id } = section;
    const isNew = id !== current;
    current = id;
    leave?.();
    leave = undefined;
    document.title = `${section.title} · influence`;
    nav.mark(id);
    const into = h("div", { "data-section": id });
    replace(main, into);
    try {
      leave = section.draw(into, context, query);
    } catch (problem) {
      console.error(problem);
      replace(
        into,
        h("div.section-head", null, h("h2", null, section.title)),
        failure(`This section could not be drawn: ${whyNot(context.report, problem as Error)}`),
      );
    }
    if (isNew) scrollTo(0, 0);
  };
  addEventListener("hashchange", () => {
    go();
    main.focus({ preventScroll: true });
  });
  go();
}

function whyNot(report: Report, problem: Error): string {
  const lacks = lacking(report);
  if (lacks.length === 0) return problem.message;
  return `the report lacks its ${lacks.length > 1 ? "parts" : "part"} ${lacks.map((part) => `“${part}”`).join(", ")}. Train again to have it whole.`;
}

/** The daemon asks who is there: the page itself is open to all, its figures are not. */
function tokenForm(said: string): HTMLElement {
  const field = h("input", {
    type: "password",
    id: "token",
    autocomplete: "off",
    spellcheck: "false",
    required: true,
  }) as HTMLInputElement;
  const enter = (event: Event) => {
    event.preventDefault();
    useToken(field.value.trim());
    void start();
  };
  queueMicrotask(() => field.focus());
  return h(
    "form.state.token",
    { onsubmit: enter },
    h("p", null, said),
    h("label", { for: "token" }, "Token"),
    field,
    h("button.primary", { type: "submit" }, "Open"),
    h(
      "p.reading",
      null,
      "One of scope predict; kept until this tab is closed. Live needs the scope metrics too.",
    ),
  );
}

async function start(): Promise<void> {
  replace(
    app,
    header(null),
    h(
      "div.frame",
      null,
      h("nav.rail", { "aria-label": "Sections" }),
      h("main", null, skeleton(96), h("div", { style: { height: "16px" } }), skeleton(320)),
    ),
  );
  try {
    const context = await loadReport();
    const { report } = context;
    const bundle = isThere(report.bundle) ? ` · bundle ${report.bundle.id}` : "";
    setSource(
      `${report.synthetic ? "Synthetic demo data" : titleOf(report)}${bundle} · influence ${report.influence}`,
    );
    if (lacking(report).length === 0) knowNames(namesIn(report));
    setTables(context.live, report.synthetic);
    run(context);
  } catch (problem) {
    const stopped = (state: HTMLElement) =>
      replace(
        app,
        header(null),
        h("div.frame", null, h("nav.rail", { "aria-label": "Sections" }), h("main", null, state)),
      );
    if (problem instanceof ApiError && (problem.status === 401 || problem.status === 403)) {
      stopped(tokenForm(problem.message));
      return;
    }
    const missing = problem instanceof ApiError && problem.status === 404;
    const text = missing
      ? "This daemon serves a bundle without a report.json. Train again to have the page's figures."
      : `The report could not be loaded. ${(problem as Error).message}`;
    stopped(failure(text, start));
  }
}

void start();
