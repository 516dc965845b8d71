// SPDX-License-Identifier: Apache-2.0
// Ask: a handle or a profile in, and everything that the daemon can say about it, as the figures
// are changed. The address holds the whole question, so that a link reproduces the view.

import { ApiError, asCurl, call, type ClusterAnswer, type Profile, type ScoreAnswer, type TierAnswer } from "../api";
import { card, cardHead } from "../chart";
import type { Context } from "../context";
import { append, debounce, h, replace, type Child } from "../dom";
import { compact, sentence } from "../format";
import { failure, note, partial, skeleton } from "../states";
import { clusterCard, compositeCard, scoreCard, tierCard, type Answer, type Ghost } from "./ask/answer";
import { comparePanel } from "./ask/compare";
import { profileForm } from "./ask/form";
import { addressOf, COMPARED_MAX, isAsked, readQuestion, requestFor, typedFields, type Question } from "./ask/question";
import { searchBox } from "./ask/search";
import { similarPanel } from "./ask/similar";
import { waterfallCard } from "./ask/waterfall";

const TYPING_MS = 120;
/** An answer that stood this long is what the next one is compared with. */
const SETTLED_MS = 900;

export function ask(into: HTMLElement, context: Context, query: URLSearchParams): void | (() => void) {
  append(into, [h("div.section-head", null, h("h2", null, "Ask"), h("p.lead", null, "Find an account, or type the figures of any profile; then change them and see what moves."))]);
  if (!context.live) {
    const how = context.report.kind === "bundle" ? "This is a report file without a daemon behind it. To ask: `influenced --models.path=models`, then open its page." : "These data have no model yet. To ask: `influence train FILE`, then `influenced`.";
    append(into, [h("div.cards", null, card(partial(how)))]);
    return;
  }
  return new AskView(into, context, query).leave;
}

class AskView {
  private readonly fields;
  private readonly question: Question;
  private readonly search;
  private readonly form;
  private readonly similar;
  private readonly compare;
  private readonly head = h("div.who");
  private readonly panels = h("div.stack.panels");
  private readonly stale = h("div", { role: "status" });
  private readonly answers = h("div.answers", { "aria-live": "polite" });
  private request = new AbortController();
  private profile: Profile = {};
  private catalogued = "";
  private answer: Answer | null = null;
  private answeredAt = 0;
  private ghost: Ghost | null = null;
  private readonly curl = h("pre.curl", { tabindex: 0, "aria-label": "The request as curl" });
  private curlRoute = "score";

  constructor(
    into: HTMLElement,
    private readonly context: Context,
    query: URLSearchParams,
  ) {
    const { report } = context;
    this.fields = typedFields(report);
    this.question = readQuestion(query, this.fields);
    this.search = searchBox("Find an account by handle or name", (handle) => this.choose(handle));
    this.form = profileForm(report, this.fields, (field, text) => this.type(field, text));
    this.similar = similarPanel(report, (name, text) => this.filter(name, text), (handle) => this.pick(handle, ""));
    this.compare = comparePanel(report, this.fields, (add, remove) => this.pick(add, remove));
    const side = h("div.ask-side", null, this.search.element, this.presets(), card(h("div.spread", null, h("h3", null, "Profile"), h("button.quiet", { type: "button", onclick: () => this.clear() }, "Clear")), this.form.element));
    append(into, [h("div.ask", null, side, h("div.ask-main", null, this.head, this.answers))]);
    void this.start();
  }

  readonly leave = () => this.request.abort();

  /** Accounts to begin with: the largest, and one from each end of the scatter. */
  private presets(): Child {
    const { scatter } = this.context.report.explore;
    const handles = [0, Math.floor(scatter.handle.length / 2), scatter.handle.length - 1].map((i) => scatter.handle[i]).filter((handle): handle is string => Boolean(handle));
    const example = () => {
      this.question.handle = "";
      this.question.typed = { followers: "250k", posts: "800", avg_likes: "9k" };
      for (const name of Object.keys(this.question.typed)) if (!this.fields.some((field) => field.name === name)) delete this.question.typed[name];
      this.restart();
    };
    return h("div.presets", null, h("span.muted.small", null, "Try "), [...new Set(handles)].map((handle) => h("button.quiet", { type: "button", onclick: () => this.choose(handle) }, handle)), h("button.quiet", { type: "button", onclick: example }, "a typed profile"));
  }

  private choose(handle: string): void {
    this.question.handle = handle;
    this.question.typed = {};
    this.restart();
  }

  private clear(): void {
    this.question.handle = "";
    this.question.typed = {};
    this.restart();
    this.search.focus();
  }

  private restart(): void {
    this.ghost = null;
    this.answer = null;
    this.markStale(null);
    void this.start();
  }

  private type(field: string, text: string): void {
    if (text === "") delete this.question.typed[field];
    else this.question.typed[field] = text;
    this.form.show(this.profile, this.question.typed);
    this.askSoon();
  }

  private filter(name: string, text: string): void {
    if (text) this.question.filters[name] = text;
    else delete this.question.filters[name];
    this.remember();
    void this.similar.ask(this.question, this.profile, this.request.signal).then(() => this.showCurl());
  }

  private pick(add: string, remove: string): void {
    const kept = this.question.compared.filter((handle) => handle !== remove && handle.toLowerCase() !== add.toLowerCase());
    const room = kept.length < COMPARED_MAX - 1;
    this.question.compared = add && add.toLowerCase() !== this.question.handle.toLowerCase() && room ? [...kept, add] : kept;
    this.remember();
    this.showComparison();
  }

  private remember(): void {
    history.replaceState(null, "", addressOf(this.question));
  }

  /** A new account or profile: get its figures, then ask. */
  private async start(): Promise<void> {
    const { handle } = this.question;
    this.search.set(handle);
    this.profile = {};
    this.catalogued = "";
    this.remember();
    if (!isAsked(this.question)) {
      this.form.show({}, {});
      replace(this.head);
      replace(this.answers, this.welcome());
      return;
    }
    replace(this.answers, skeleton(180), skeleton(280));
    if (handle) {
      try {
        const found = await call<{ profile: Profile }>(`influencers?handle=${encodeURIComponent(handle)}`);
        if (this.question.handle !== handle) return;
        this.profile = found.profile;
        this.catalogued = String(found.profile.handle ?? handle);
      } catch (problem) {
        this.form.show({}, this.question.typed);
        replace(this.head);
        replace(this.answers, failure((problem as Error).message, problem instanceof ApiError && problem.status === 404 ? undefined : () => void this.start()));
        return;
      }
    }
    this.form.show(this.profile, this.question.typed);
    if (this.catalogued && Object.keys(this.question.typed).length > 0) await this.askCatalogued();
    await this.ask();
  }

  /** What the account gets as it is, to compare changed figures with. */
  private async askCatalogued(): Promise<void> {
    try {
      this.ghost = { answer: await this.fetchAnswer({ ...this.question, typed: {} }, this.request.signal), name: "as catalogued" };
    } catch {
      this.ghost = null;
    }
  }

  private readonly askSoon = debounce(TYPING_MS, () => void this.ask());

  private async fetchAnswer(question: Question, signal: AbortSignal): Promise<Answer> {
    const get = <T>(route: string, parameters: Record<string, string> = {}) => {
      const { path, body } = requestFor(question, route, this.profile, parameters);
      return call<T>(path, body, signal);
    };
    const [score, tier, cluster] = await Promise.all([get<ScoreAnswer>("score", { explain: "true" }), get<TierAnswer>("tier"), get<ClusterAnswer>("cluster")]);
    return { score, tier, cluster };
  }

  private async ask(): Promise<void> {
    this.request.abort();
    this.request = new AbortController();
    const { signal } = this.request;
    if (!isAsked(this.question)) return void this.start();
    this.remember();
    this.answers.setAttribute("aria-busy", "true");
    try {
      const answer = await this.fetchAnswer(this.question, signal);
      if (signal.aborted) return;
      this.form.blame("", "");
      this.markStale(null);
      this.keepGhost();
      this.answer = answer;
      this.answeredAt = performance.now();
      this.draw(answer);
      this.showComparison();
      await this.similar.ask(this.question, this.profile, signal);
      if (!signal.aborted) this.showCurl();
    } catch (problem) {
      if (signal.aborted) return;
      this.refuse(problem as ApiError);
    } finally {
      if (!signal.aborted) this.answers.removeAttribute("aria-busy");
    }
  }

  private keepGhost(): void {
    const isChanged = Object.keys(this.question.typed).length > 0;
    if (!isChanged) this.ghost = null;
    else if (!this.answer) return;
    else if (this.catalogued) this.ghost ??= { answer: this.answer, name: "as catalogued" };
    else if (!this.ghost || performance.now() - this.answeredAt > SETTLED_MS) this.ghost = { answer: this.answer, name: "before" };
  }

  /** A field that the daemon does not take is said beside it; the last answer stays, and is said to be it. */
  private refuse(problem: ApiError): void {
    this.form.blame(problem.field ?? "", problem.message);
    if (!this.answer || !this.panels.isConnected) replace(this.answers, failure(problem.message, () => void this.ask()));
    else this.markStale(problem);
  }

  /** What is shown answers an earlier question: why, and how to ask again. */
  private markStale(problem: ApiError | null): void {
    this.answers.classList.toggle("stale", problem !== null);
    if (!problem) return replace(this.stale);
    const isAtField = this.fields.some((field) => field.name === problem.field);
    const again = !isAtField && h("button", { type: "button", onclick: () => void this.ask() }, "Try again");
    replace(this.stale, note("warning", h("div.stale-note", null, h("span", null, h("strong", null, "No answer to these figures. "), `${sentence(problem.message)}${/[.?!]$/.test(problem.message) ? "" : "."} What stands below is the answer before.`), again)));
  }

  private title(): string {
    if (!this.catalogued) return "the typed profile";
    return Object.keys(this.question.typed).length > 0 ? `${this.catalogued}, changed` : this.catalogued;
  }

  private draw(answer: Answer): void {
    const { report } = this.context;
    replace(this.head, this.heading());
    if (!this.panels.isConnected) replace(this.answers, this.stale, this.panels, this.similar.element, this.compare.element, this.curlCard());
    replace(
      this.panels,
      h("div.cards.two", null, scoreCard(report, answer, this.ghost), tierCard(answer, this.ghost)),
      waterfallCard(report, answer.score, this.title()),
      h("div.cards.two", null, clusterCard(report, answer, this.ghost), compositeCard(report, answer, this.ghost)),
    );
  }

  private heading(): Child {
    const { profile } = this;
    const facts = [profile.name, profile.category, profile.country, typeof profile.followers === "number" && `${compact(profile.followers)} followers`].filter((fact) => fact && fact !== this.catalogued);
    const changed = Object.keys(this.question.typed).length;
    return [
      h("h3.who-name", null, this.catalogued || "A typed profile"),
      h("span.muted", null, facts.join(" · ")),
      this.catalogued && changed > 0 && h("span.badge", null, `${changed} figure${changed > 1 ? "s" : ""} changed`),
      this.catalogued && changed > 0 && h("button.quiet", { type: "button", onclick: () => this.choose(this.catalogued) }, "undo"),
      h("span.fill"),
      copyButton("Copy link", () => location.href),
    ];
  }

  private showComparison(): void {
    if (this.answer) void this.compare.show(this.title(), { ...this.profile, ...this.question.typed }, this.answer, this.question.compared);
  }

  /** The very request to a route, for a shell. */
  private curlOf(route: string): string {
    if (route === "similar") return this.similar.curl();
    const { path, body } = requestFor(this.question, route, this.profile, route === "score" ? { explain: "true" } : {});
    return asCurl(path, body);
  }

  private showCurl(route = this.curlRoute): void {
    this.curlRoute = route;
    replace(this.curl, this.curlOf(route));
  }

  private curlCard(): HTMLElement {
    const buttons = ["score", "tier", "cluster", "similar"].map((route) => copyButton(`Copy /${route} as curl`, () => this.curlOf(route), () => this.showCurl(route)));
    return card(cardHead("The same from a shell", "the very requests behind this page"), h("div.row", null, buttons), this.curl);
  }

  private welcome(): HTMLElement {
    return card(
      h(
        "div.state",
        null,
        h("p", null, "Search a handle above, pick one to try, or type what you know of a profile: “475.8m”, “12,400” and “1.39%” are all fine. What you leave out is filled with typical values, and the answer says so."),
      ),
    );
  }
}

function copyButton(label: string, text: () => string, after?: () => void): HTMLElement {
  const button = h("button.quiet", {
    type: "button",
    onclick: async () => {
      after?.();
      await copy(text());
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 1500);
    },
  }, label);
  return button;
}

/** The clipboard needs a secure origin; over plain HTTP from elsewhere the old way still works. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard && window.isSecureContext) {
    try {
      return await navigator.clipboard.writeText(text);
    } catch {
      // Denied: go on below.
    }
  }
  const area = h("textarea.hidden", { value: text, "aria-hidden": "true" }) as HTMLTextAreaElement;
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
