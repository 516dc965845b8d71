// SPDX-License-Identifier: Apache-2.0
// Ask: a handle or a profile in, and everything that the daemon can say about it, as the figures
// are changed. The address holds the whole question, so that a link reproduces the view.

import {
  ApiError,
  asCurl,
  call,
  type ClusterAnswer,
  type Profile,
  type ScoreAnswer,
  type TierAnswer,
} from "../api";
import { card, cardHead } from "../chart";
import type { Context } from "../context";
import { copyButton } from "../copy";
import { append, debounce, fileName, h, replace, type Child } from "../dom";
import { compact, sentence, whole } from "../format";
import { failure, note, partial, skeleton } from "../states";
import { downloadCsv } from "../table";
import {
  clusterCard,
  compositeCard,
  givenScore,
  scoreCard,
  tierCard,
  type Answer,
  type Ghost,
} from "./ask/answer";
import { comparePanel } from "./ask/compare";
import { atSameRates, doubtsOf, WITH_FOLLOWERS } from "./ask/doubts";
import { answerPicture, answerTable } from "./ask/export";
import { profileForm } from "./ask/form";
import { presetButtons } from "./ask/presets";
import {
  addressOf,
  COMPARED_MAX,
  figureOf,
  handleOf,
  isAsked,
  readQuestion,
  requestFor,
  sameHandle,
  typedFields,
  type Question,
} from "./ask/question";
import { intervalShown, scoreScale } from "./ask/scale";
import { searchBox } from "./ask/search";
import { similarPanel } from "./ask/similar";
import { waterfallCard } from "./ask/waterfall";

/** What an answer holds. */
const PROMISES: [string, string][] = [
  ["Score", "with its interval, and what lifts it and pulls it down"],
  ["Tier", "with a check of the audience: does it behave like its size?"],
  ["Archetype", "the kind of account that it is nearest to"],
  ["Similar", "the most similar accounts, by category, country and size; up to four side by side"],
  ["What if", "move a slider, and the answer moves; the one before stays as a ghost"],
  ["Take along", "a link that shows the same, the request as curl, CSV and PNG"],
];

const TYPING_MS = 120;
/** An answer that stood this long is what the next one is compared with. */
const SETTLED_MS = 900;

export function ask(
  into: HTMLElement,
  context: Context,
  query: URLSearchParams,
): void | (() => void) {
  append(into, [
    h(
      "div.section-head",
      null,
      h("h2", null, "Ask"),
      h(
        "p.lead",
        null,
        "Find an account, or type the figures of any profile; then change them and see what moves.",
      ),
    ),
  ]);
  if (!context.live) {
    const how =
      context.report.kind === "bundle"
        ? "This file holds what was found in the data; questions need the program behind it. Ask whoever sent it for the address of their `influenced`, whose page looks like this one and answers."
        : "These data have no model yet. To ask: `influence train FILE`, then `influenced`.";
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
  private readonly frame = h("div.ask");
  /** The score in one line, for screens on which form and answer do not stand beside each other. */
  private readonly brief = h("div.brief", { hidden: true, "aria-hidden": "true" });
  private readonly doubts = h("div.doubts", { role: "status" });
  private keepsRates = false;
  /** Whose address was put into the history last. */
  private handleBefore: string | null = null;
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
    this.similar = similarPanel(
      report,
      (name, text) => this.filter(name, text),
      (handle) => this.pick(handle, ""),
    );
    this.compare = comparePanel(report, this.fields, (add, remove) => this.pick(add, remove));
    const presets = presetButtons(
      report,
      this.fields,
      (handle) => this.choose(handle),
      (typed) => this.example(typed),
    );
    append(this.frame, [
      h("div.ask-side", null, this.search.element, presets, this.makeProfileCard()),
      h("div.ask-main", null, this.head, this.answers),
      this.brief,
    ]);
    append(into, [this.frame]);
    void this.start();
  }

  readonly leave = () => this.request.abort();

  /** On a phone the form stays folded until it is wanted: the answer comes first. */
  private makeProfileCard(): HTMLElement {
    const unfold = h(
      "button.quiet.unfold",
      { type: "button", "aria-expanded": "false" },
      "Change the figures",
    );
    const clear = h("button.quiet", { type: "button", onclick: () => this.clear() }, "Clear");
    const made = card(
      h("div.spread", null, h("h3", null, "Profile"), h("div.row", null, unfold, clear)),
      this.ratesSwitch(),
      this.form.element,
    );
    made.classList.add("profile-card");
    unfold.addEventListener("click", () => {
      const isOpen = made.classList.toggle("open");
      unfold.setAttribute("aria-expanded", String(isOpen));
      replace(unfold, isOpen ? "Fold" : "Change the figures");
    });
    return made;
  }

  /** What-if for another size: likes and the like go with the followers, or stay as they are. */
  private ratesSwitch(): Child {
    if (
      !this.fields.some((field) => WITH_FOLLOWERS.includes(field.name)) ||
      !this.fields.some((field) => field.name === "followers")
    )
      return null;
    const box = h("input", { type: "checkbox" }) as HTMLInputElement;
    box.addEventListener("change", () => {
      this.keepsRates = box.checked;
      if (box.checked && this.question.typed.followers !== undefined)
        this.typeAll(atSameRates(this.profile, this.question.typed.followers, this.fields));
    });
    return h(
      "label.rates",
      {
        title:
          "When followers change, likes, comments and views change with them, so that the rates stay what they are",
      },
      box,
      "Keep the rates as followers change",
    );
  }

  private typeAll(typed: Record<string, string>): void {
    Object.assign(this.question.typed, typed);
    this.form.show(this.profile, this.question.typed);
    void this.ask();
  }

  private choose(handle: string): void {
    this.question.handle = handleOf(handle);
    this.question.typed = {};
    this.question.compared = this.question.compared.filter(
      (other) => !sameHandle(other, this.question.handle),
    );
    this.restart();
  }

  private example(typed: Record<string, string>): void {
    this.question.handle = "";
    this.question.typed = typed;
    this.restart();
  }

  private clear(): void {
    this.example({});
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
    if (field === "followers" && this.keepsRates) this.followRates(text);
    this.form.show(this.profile, this.question.typed);
    this.askSoon();
  }

  private followRates(followers: string): void {
    const scaled = atSameRates(this.profile, followers, this.fields);
    if (followers === "") for (const name of WITH_FOLLOWERS) delete this.question.typed[name];
    else Object.assign(this.question.typed, scaled);
  }

  private filter(name: string, text: string): void {
    if (text) this.question.filters[name] = text;
    else delete this.question.filters[name];
    this.remember();
    void this.similar
      .ask(this.question, this.title(), this.profile, this.request.signal)
      .then(() => this.showCurl());
  }

  private pick(add: string, remove: string): void {
    const kept = this.question.compared.filter(
      (handle) => handle !== remove && !sameHandle(handle, add),
    );
    const isNew =
      add !== "" && !sameHandle(add, this.question.handle) && kept.length < COMPARED_MAX - 1;
    this.question.compared = isNew ? [...kept, add] : kept;
    this.similar.mark(this.question);
    this.remember();
    this.showComparison();
  }

  /** Another account is a step that Back undoes; a changed figure is not. */
  private remember(): void {
    const address = addressOf(this.question);
    const isStep = this.handleBefore !== null && this.handleBefore !== this.question.handle;
    this.handleBefore = this.question.handle;
    if (isStep && address !== location.hash) history.pushState(null, "", address);
    else history.replaceState(null, "", address);
  }

  /** A new account or profile: get its figures, then ask. */
  private async start(): Promise<void> {
    const { handle } = this.question;
    this.search.set(handle);
    this.profile = {};
    this.catalogued = "";
    this.remember();
    this.frame.classList.toggle("answered", isAsked(this.question));
    if (!isAsked(this.question)) {
      this.form.show({}, {});
      replace(this.head);
      replace(this.answers, this.welcome());
      this.showBrief(null);
      return;
    }
    replace(this.answers, skeleton(180), skeleton(280));
    this.showBrief(null);
    if (handle) {
      try {
        const found = await call<{ profile: Profile }>(
          `influencers?handle=${encodeURIComponent(handle)}`,
        );
        if (this.question.handle !== handle) return;
        this.profile = found.profile;
        this.catalogued = String(found.profile.handle ?? handle);
      } catch (problem) {
        this.form.show({}, this.question.typed);
        replace(this.head);
        replace(this.answers, this.unknown(problem as Error));
        return;
      }
    }
    this.form.show(this.profile, this.question.typed);
    if (this.catalogued && Object.keys(this.question.typed).length > 0) await this.askCatalogued();
    await this.ask();
  }

  /** Nobody of that handle: who is near it, to be chosen. */
  private unknown(problem: Error): HTMLElement {
    if (!(problem instanceof ApiError) || problem.status !== 404)
      return failure(problem.message, () => void this.start());
    const closest = problem.message.split("; closest: ")[1];
    const { kept } = this.context.report.data.rows;
    const state = failure(
      `No account of the handle “${this.question.handle}” among the ${whole(kept)} of this bundle.`,
    );
    append(state, [
      closest
        ? h(
            "p",
            null,
            "Closest: ",
            closest
              .split(", ")
              .map((handle) =>
                h("button.quiet", { type: "button", onclick: () => this.choose(handle) }, handle),
              ),
          )
        : h("p.muted", null, "None has a handle near it, either: is it spelt as in its address?"),
      h(
        "p.muted",
        null,
        "An account need not be in the data to be judged: its followers, likes and posts are enough. ",
        h("button", { type: "button", onclick: () => this.typeInstead() }, "Type its figures"),
      ),
    ]);
    return card(state);
  }

  /** An empty form, ready to be typed into. */
  private typeInstead(): void {
    this.example({});
    this.form.element.querySelector("input")?.focus();
  }

  /** What the account gets as it is, to compare changed figures with. */
  private async askCatalogued(): Promise<void> {
    try {
      this.ghost = {
        answer: await this.fetchAnswer({ ...this.question, typed: {} }, this.request.signal),
        name: "as catalogued",
      };
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
    const [score, tier, cluster] = await Promise.all([
      get<ScoreAnswer>("score", { explain: "true" }),
      get<TierAnswer>("tier"),
      get<ClusterAnswer>("cluster"),
    ]);
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
      await this.similar.ask(this.question, this.title(), this.profile, signal);
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
    else if (!this.ghost || performance.now() - this.answeredAt > SETTLED_MS)
      this.ghost = { answer: this.answer, name: "before" };
  }

  /** A field that the daemon does not take is said beside it; the last answer stays, and is said
   * to be it. */
  private refuse(problem: ApiError): void {
    this.form.blame(problem.field ?? "", problem.message);
    if (!this.answer || !this.panels.isConnected)
      replace(
        this.answers,
        failure(problem.message, () => void this.ask()),
      );
    else this.markStale(problem);
  }

  /** What is shown answers an earlier question: why, and how to ask again. */
  private markStale(problem: ApiError | null): void {
    this.answers.classList.toggle("stale", problem !== null);
    if (!problem) return replace(this.stale);
    const isAtField = this.fields.some((field) => field.name === problem.field);
    const again =
      !isAtField && h("button", { type: "button", onclick: () => void this.ask() }, "Try again");
    replace(
      this.stale,
      note(
        "warning",
        h(
          "div.stale-note",
          null,
          h(
            "span",
            null,
            h("strong", null, "No answer to these figures. "),
            `${sentence(problem.message)}${/[.?!]$/.test(problem.message) ? "" : "."} What stands below is the answer before.`,
          ),
          again,
        ),
      ),
    );
  }

  private given(answer: Answer): number | null {
    return this.catalogued && Object.keys(this.question.typed).length === 0
      ? givenScore(answer.score, this.profile)
      : null;
  }

  private title(): string {
    if (!this.catalogued) return "the typed profile";
    return Object.keys(this.question.typed).length > 0
      ? `${this.catalogued}, changed`
      : this.catalogued;
  }

  private draw(answer: Answer): void {
    const { report } = this.context;
    replace(this.head, this.heading());
    if (!this.panels.isConnected)
      replace(
        this.answers,
        this.stale,
        this.doubts,
        this.panels,
        this.similar.element,
        this.compare.element,
        this.curlCard(),
      );
    this.showDoubts();
    this.showBrief(answer);
    replace(
      this.panels,
      // Two stacks, not two rows: cards are of any height, and keep their place as figures change.
      h(
        "div.cards.two",
        null,
        h(
          "div.cards",
          null,
          scoreCard(report, answer, this.ghost, this.given(answer)),
          compositeCard(report, answer, this.ghost),
        ),
        h("div.cards", null, tierCard(answer, this.ghost), clusterCard(report, answer, this.ghost)),
      ),
      waterfallCard(
        report,
        answer.score,
        { ...this.profile, ...this.question.typed },
        this.title(),
      ),
    );
  }

  /** What is hardly meant so, with what may have been. */
  private showDoubts(): void {
    const found = doubtsOf(this.profile, this.question.typed, this.fields);
    replace(
      this.doubts,
      found.map((doubt) =>
        note(
          "warning",
          h(
            "div.doubt-note",
            null,
            h("span", null, doubt.text),
            doubt.offer &&
              h(
                "button",
                { type: "button", onclick: () => this.typeAll(doubt.typed) },
                doubt.offer,
              ),
          ),
        ),
      ),
    );
  }

  private showBrief(answer: Answer | null): void {
    this.brief.hidden = answer === null;
    if (!answer) return replace(this.brief);
    const scale = scoreScale(this.context.report, answer.score);
    const before = this.ghost?.answer.score.score;
    const delta = before !== undefined && ` ${scale.change(answer.score.score - before)}`;
    replace(
      this.brief,
      h("span.brief-name", null, this.title()),
      h("strong", null, scale.show(answer.score.score)),
      h("span.muted", null, intervalShown(answer.score, scale)),
      delta && h("strong.delta", null, delta),
    );
  }

  private facts(): string[] {
    const profile = { ...this.profile, ...this.question.typed };
    const followers = figureOf(profile, "followers");
    const found = [
      profile.name,
      profile.category,
      profile.country ?? profile.audience_country,
      followers !== null && `${compact(followers)} followers`,
    ];
    return found.filter(
      (fact): fact is string => typeof fact === "string" && fact !== "" && fact !== this.catalogued,
    );
  }

  private exportButtons(): Child {
    const who = this.title();
    const csv = () =>
      this.answer &&
      downloadCsv(
        answerTable(who, this.answer, this.given(this.answer)),
        `answer-${fileName(who)}`,
      );
    const png = () =>
      this.answer &&
      answerPicture(
        this.context.report,
        who,
        this.facts().join(" · "),
        this.answer,
        this.given(this.answer),
      );
    return [
      h(
        "button.quiet",
        { type: "button", "aria-label": `CSV of the answer to ${who}`, onclick: csv },
        "CSV",
      ),
      h(
        "button.quiet",
        { type: "button", "aria-label": `PNG of the answer to ${who}`, onclick: png },
        "PNG",
      ),
    ];
  }

  private heading(): Child {
    const facts = this.facts();
    const changed = Object.keys(this.question.typed).length;
    return [
      h("h3.who-name", null, this.catalogued || "A typed profile"),
      h("span.muted", null, facts.join(" · ")),
      this.catalogued &&
        changed > 0 &&
        h("span.badge", null, `${changed} figure${changed > 1 ? "s" : ""} changed`),
      this.catalogued &&
        changed > 0 &&
        h("button.quiet", { type: "button", onclick: () => this.choose(this.catalogued) }, "undo"),
      h("span.fill"),
      this.exportButtons(),
      copyButton("Copy link", () => location.href),
    ];
  }

  private showComparison(): void {
    if (this.answer)
      void this.compare.show(
        this.title(),
        { ...this.profile, ...this.question.typed },
        this.answer,
        this.question.compared,
      );
  }

  /** The very request to a route, for a shell. */
  private curlOf(route: string): string {
    if (route === "similar") return this.similar.curl();
    const { path, body } = requestFor(
      this.question,
      route,
      this.profile,
      route === "score" ? { explain: "true" } : {},
    );
    return asCurl(path, body);
  }

  private showCurl(route = this.curlRoute): void {
    this.curlRoute = route;
    replace(this.curl, this.curlOf(route));
  }

  private curlCard(): HTMLElement {
    const buttons = ["score", "tier", "cluster", "similar"].map((route) =>
      copyButton(
        `Copy /${route} as curl`,
        () => this.curlOf(route),
        () => this.showCurl(route),
      ),
    );
    return card(
      cardHead("The same from a shell", "the very requests behind this page"),
      h("div.row", null, buttons),
      this.curl,
    );
  }

  private welcome(): HTMLElement {
    return card(
      h(
        "div.state",
        null,
        h(
          "p",
          null,
          "Search a handle, pick one to try, or type what you know of a profile: “475.8m”, “12,400” and “1.39%” are all fine. What you leave out is filled with typical values, and the answer says so.",
        ),
      ),
      h("h4.promise-head", null, "What you get"),
      h(
        "dl.facts",
        null,
        PROMISES.map(([what, how]) => [h("dt", null, what), h("dd", null, how)]),
      ),
    );
  }
}
