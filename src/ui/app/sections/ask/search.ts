// SPDX-License-Identifier: Apache-2.0
// The search box: a combobox over the daemon's catalogue, by the ARIA pattern.

import { call, type Influencer } from "../../api";
import { debounce, freshId, h, replace } from "../../dom";
import { compact } from "../../format";
import { handleOf, sameHandle } from "./question";

const LIMIT = 8;

export interface SearchBox {
  element: HTMLElement;
  set: (handle: string) => void;
  focus: () => void;
}

export function searchBox(label: string, onChoose: (handle: string) => void): SearchBox {
  const listId = freshId("suggestions");
  const list = h("ul.suggestions", {
    id: listId,
    role: "listbox",
    "aria-label": "Suggestions",
    hidden: true,
  });
  const input = h("input", {
    type: "search",
    role: "combobox",
    "aria-expanded": "false",
    "aria-controls": listId,
    "aria-autocomplete": "list",
    "aria-label": label,
    placeholder: "Handle or name",
    autocomplete: "off",
    spellcheck: "false",
    autocapitalize: "none",
  }) as HTMLInputElement;
  let found: Influencer[] = [];
  /** What `found` was found for. */
  let foundFor = "";
  let active = -1;
  let asked = 0;

  const close = () => {
    list.hidden = true;
    active = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const choose = (handle: string) => {
    input.value = handle;
    asked++;
    close();
    onChoose(handle);
  };
  const mark = (index: number) => {
    active = index;
    [...list.children].forEach((item, i) =>
      item.setAttribute("aria-selected", String(i === index)),
    );
    if (index >= 0) {
      input.setAttribute("aria-activedescendant", `${listId}-${index}`);
      list.children[index].scrollIntoView({ block: "nearest" });
    } else input.removeAttribute("aria-activedescendant");
  };
  const show = () => {
    const item = (influencer: Influencer, i: number) =>
      h(
        "li",
        {
          role: "option",
          id: `${listId}-${i}`,
          "aria-selected": "false",
          onmousedown: (event: Event) => (event.preventDefault(), choose(influencer.handle)),
        },
        h(
          "span",
          null,
          h("strong", null, influencer.handle),
          influencer.name &&
            influencer.name !== influencer.handle &&
            h("span.muted", null, ` ${influencer.name}`),
        ),
        h(
          "span.muted.small",
          null,
          [
            influencer.category,
            influencer.followers !== null && `${compact(influencer.followers)} followers`,
          ]
            .filter(Boolean)
            .join(" · "),
        ),
      );
    replace(
      list,
      found.length
        ? found.map(item)
        : h(
            "li.none",
            { role: "option", "aria-disabled": "true" },
            "Nobody of that handle or name in this bundle",
          ),
    );
    list.hidden = false;
    input.setAttribute("aria-expanded", "true");
    mark(-1);
  };
  const suggest = async () => {
    const mine = ++asked;
    const text = handleOf(input.value);
    try {
      const some = await suggestions(text);
      if (mine !== asked || document.activeElement !== input) return;
      found = some;
      foundFor = text;
      show();
    } catch {
      close(); // the question itself will tell what is wrong
    }
  };
  const suggestSoon = debounce(80, suggest);
  input.addEventListener("input", suggestSoon);
  input.addEventListener("focus", () => (input.select(), suggestSoon()));
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    const move = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (move) {
      event.preventDefault();
      if (list.hidden) void suggest();
      else if (found.length) mark((active + move + found.length) % found.length);
    } else if (event.key === "Enter") {
      const text = handleOf(input.value);
      const handle =
        active >= 0 ? found[active].handle : meant(text, foundFor === text ? found : []);
      if (handle) choose(handle);
    } else if (event.key === "Escape") close();
  });
  return {
    element: h("div.search", null, input, list),
    set: (handle) => (input.value = handle),
    focus: () => input.focus(),
  };
}

/** The only suggestion is what Enter means, unless the text is a handle of its own. */
function meant(text: string, found: Influencer[]): string {
  const exact = found.find((influencer) => sameHandle(influencer.handle, text));
  return exact?.handle ?? (text && found.length === 1 ? found[0].handle : text);
}

/** Handles have no blanks: "leo messi" is also looked for as "leomessi". */
async function suggestions(text: string): Promise<Influencer[]> {
  const search = async (q: string) =>
    (
      await call<{ influencers: Influencer[] }>(
        `influencers?q=${encodeURIComponent(q)}&limit=${LIMIT}`,
      )
    ).influencers;
  const found = await search(text);
  return found.length === 0 && /\s/.test(text) ? search(text.replace(/\s+/g, "")) : found;
}
