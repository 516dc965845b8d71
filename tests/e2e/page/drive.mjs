// SPDX-License-Identifier: Apache-2.0
// Drives the page in Chromium for test_page.py: node drive.mjs CHROMIUM CHECK URL [ARGUMENTS as JSON]
// Prints what was found as JSON; the judging is done in Python. Anything on the browser's console
// above a remark, and any request that leaves the page's origin, is reported as a problem. A line
// {"step": ...} before that asks for something to be done, and a line on stdin says that it is.

import { once } from "node:events";
import { createRequire } from "node:module";
import { chromium } from "playwright-core";

const AXE = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
const SECTIONS = [
  "overview",
  "ask",
  "explore",
  "data",
  "models",
  "archetypes",
  "network",
  "virality",
  "live",
];
const LAUNCH = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Longer than any step takes on a machine of which others have most. */
const HANG_MS = 120_000;

const [executablePath, check, url, argument = "{}"] = process.argv.slice(2);
const options = JSON.parse(argument);
const problems = [];

/** Has the test do something, such as killing its daemon, and waits until it is done. */
async function haveDone(step) {
  const done = once(process.stdin, "data");
  console.log(JSON.stringify({ step }));
  await done;
}

async function open(
  browser,
  { width = 1280, height = 900, colorScheme = "light", bypassCSP = false } = {},
) {
  const context = await browser.newContext({
    viewport: { width, height },
    colorScheme,
    bypassCSP,
    acceptDownloads: true,
    reducedMotion: "reduce",
  });
  const page = await context.newPage();
  page.setDefaultTimeout(HANG_MS);
  page.on(
    "console",
    (message) =>
      ["error", "warning"].includes(message.type()) && problems.push(`console: ${message.text()}`),
  );
  page.on("pageerror", (error) => problems.push(`exception: ${error.message}`));
  page.on("request", (request) => {
    const at = new URL(request.url());
    if (at.protocol !== "data:" && at.protocol !== "blob:" && at.origin !== new URL(url).origin)
      problems.push(`request to ${request.url()}`);
  });
  return page;
}

async function visit(page, route) {
  await page.goto(`${url}#/${route}`);
  const section = route.split("?")[0];
  await page.waitForSelector(`[data-section="${section}"] h2`);
}

/**
 * Scroll through, so that every chart comes into view, and wait until all are drawn. A browser that
 * is short of time may pass one by without having looked: back to it.
 */
async function drawAll(page) {
  await page.evaluate(async () => {
    for (let y = 0; y < document.documentElement.scrollHeight; y += 500) {
      scrollTo(0, y);
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  });
  await page.waitForFunction(
    () => {
      const left = [...document.querySelectorAll(".chart")].find(
        (chart) => chart.dataset.drawn !== "true",
      );
      left?.scrollIntoView({ block: "center" });
      return !left;
    },
    null,
    { polling: 200 },
  );
}

/** What stands in and behind each chart of a drawn section. */
async function chartCards(page) {
  return page.evaluate(() =>
    [...document.querySelectorAll(".card")]
      .filter((card) => card.querySelector(".chart"))
      .map((card) => {
        const text = (selector) => card.querySelector(selector)?.textContent.trim() ?? "";
        const button = [...card.querySelectorAll(".actions button")].find(
          (element) => element.textContent === "Table",
        );
        button.click();
        const found = {
          title: text("h3"),
          subtitle: text(".subtitle"),
          reading: text(".reading"),
          buttons: [...card.querySelectorAll(".actions button")].map(
            (element) => element.textContent,
          ),
          names: [...card.querySelectorAll(".actions button")].map((element) =>
            element.getAttribute("aria-label"),
          ),
          called: document.getElementById(card.getAttribute("aria-labelledby"))?.textContent.trim(),
          columns: [...card.querySelectorAll(".chart-table th")].map(
            (element) => element.textContent,
          ),
          rows: card.querySelectorAll(".chart-table tbody tr").length,
        };
        button.click();
        return found;
      }),
  );
}

async function answer(page) {
  await page.waitForSelector(".score-value");
  await page.waitForFunction(
    () =>
      !document.querySelector(".answers").hasAttribute("aria-busy") &&
      document.querySelector(".answers table tbody tr"),
  );
  return page.evaluate(() => {
    const text = (selector) =>
      [...document.querySelectorAll(selector)].map((element) => element.textContent.trim());
    const titles = [...document.querySelectorAll(".answers h3")].map(
      (element) => element.textContent,
    );
    return {
      score: text(".score-value")[0],
      interval: text(".score-line ~ .reading strong")[0],
      titles,
      shares: text(".share-value"),
      similar: text(".answers .table-scroll:not([aria-label=Comparison]) tbody tr td:first-child"),
      ghosts: document.querySelectorAll(".track .dot.ghost").length,
      curl: text(".curl")[0],
      problem: text(".failed, .field-error:not([hidden])").join(" "),
    };
  });
}

/** What a button saves: its name, size, and how many colours it is drawn with. */
async function pictureOf(page, button) {
  const [file] = await Promise.all([page.waitForEvent("download"), button.click()]);
  const parts = [];
  for await (const part of await file.createReadStream()) parts.push(part);
  const bytes = Buffer.concat(parts);
  const look = await page.evaluate(async (base64) => {
    const picture = await createImageBitmap(
      new Blob([Uint8Array.from(atob(base64), (c) => c.charCodeAt(0))], { type: "image/png" }),
    );
    const canvas = new OffscreenCanvas(picture.width, picture.height);
    const pen = canvas.getContext("2d");
    pen.drawImage(picture, 0, 0);
    const colours = new Set(
      new Uint32Array(pen.getImageData(0, 0, picture.width, picture.height).data.buffer),
    );
    return { width: picture.width, height: picture.height, colours: colours.size };
  }, bytes.toString("base64"));
  return { name: file.suggestedFilename(), png: bytes.subarray(1, 4).toString(), ...look };
}

/** Counts, from the first moment, what moves by itself and what keeps the page from answering. */
async function watch(page) {
  await page.addInitScript(() => {
    window.seen = { cls: 0, blocking_ms: 0, longest_ms: 0 };
    new PerformanceObserver((list) =>
      list
        .getEntries()
        .forEach((entry) => entry.hadRecentInput || (window.seen.cls += entry.value)),
    ).observe({ type: "layout-shift", buffered: true });
    new PerformanceObserver((list) =>
      list.getEntries().forEach(({ duration }) => {
        window.seen.blocking_ms += duration - 50;
        window.seen.longest_ms = Math.max(window.seen.longest_ms, duration);
      }),
    ).observe({ type: "longtask", buffered: true });
  });
}
const watched = () => window.seen;

const checks = {
  /** Every section, drawn to its end. */
  async sections(browser) {
    const page = await open(browser, options);
    const found = {};
    for (const section of SECTIONS) {
      await visit(
        page,
        section === "ask" && options.handle
          ? `ask?handle=${encodeURIComponent(options.handle)}`
          : section,
      );
      if (section === "ask" && options.handle) await answer(page);
      await drawAll(page);
      found[section] = await page.evaluate(() => ({
        title: document.querySelector("main h2").textContent,
        cards: [...document.querySelectorAll("main h3")].map((element) => element.textContent),
        charts: [...document.querySelectorAll(".chart")].filter((chart) =>
          chart.querySelector("canvas"),
        ).length,
        failed: [...document.querySelectorAll(".failed")].map((element) => element.textContent),
        overflow: document.documentElement.scrollWidth - document.documentElement.clientWidth,
        synthetic: document.querySelectorAll(".badge.synthetic").length,
        asks: document.querySelectorAll('main a[href^="#/ask?"]').length,
      }));
      found[section].explained = await chartCards(page);
    }
    return found;
  },

  /** Ask by handle, change a figure, reload the link. */
  async ask(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    const before = await answer(page);
    const followers = page.locator(".profile-field input[type=text]").first();
    await followers.fill(options.followers);
    await page.waitForFunction(
      (score) => document.querySelector(".track .dot.ghost") !== null && score !== undefined,
      before.score,
    );
    const after = await answer(page);
    const link = page.url();
    await page.goto("about:blank");
    await page.goto(link);
    const again = await answer(page);
    await page.locator(".profile-field input[type=text]").first().fill("many");
    await page.waitForSelector(".field-error:not([hidden])");
    const refused = await page.locator(".field-error:not([hidden])").textContent();
    problems.splice(
      0,
      problems.length,
      ...problems.filter((problem) => !/status of 4(00|22)/.test(problem)),
    );
    return { before, after, again, link, refused };
  },

  /** A daemon that asks for a token: a wrong one, then the right one, and an answer with it. */
  async token(browser) {
    const page = await open(browser);
    const said = [];
    await page.goto(`${url}#/ask?handle=${encodeURIComponent(options.handle)}`);
    for (const token of ["not-one", options.token]) {
      const form = await page.waitForSelector("form.token");
      said.push(await page.locator("form.token p").first().textContent());
      await page.getByLabel("Token").fill(token);
      await page.keyboard.press("Enter");
      await form.waitForElementState("hidden");
    }
    const { score, curl } = await answer(page);
    await page.reload();
    await answer(page);
    problems.splice(
      0,
      problems.length,
      ...problems.filter((problem) => !/status of 401/.test(problem)),
    );
    return { said, score, curl };
  },

  /** Four side by side. */
  async compare(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handles[0])}`);
    await answer(page);
    for (const handle of options.handles.slice(1)) {
      await page.getByRole("combobox", { name: "Add an account to compare" }).fill(handle);
      await page.getByRole("option").filter({ hasText: handle }).first().waitFor();
      await page.keyboard.press("Enter");
      await page.getByRole("button", { name: `Remove ${handle}` }).waitFor();
    }
    return page.evaluate(() =>
      [...document.querySelectorAll("table.compare tbody tr")].map((row) =>
        [...row.children].map((cell) => cell.textContent),
      ),
    );
  },

  /** Links with too many, and with one twice; then + until nobody more can be added. */
  async crowd(browser) {
    const page = await open(browser);
    const heads = () =>
      page.evaluate(() =>
        [...document.querySelectorAll("table.compare thead th")].map((cell) => cell.textContent),
      );
    const [first, second] = options.handles;
    const twice = [first.toUpperCase(), second, second.toUpperCase()]
      .map((handle) => `with=${encodeURIComponent(handle)}`)
      .join("&");
    await visit(page, `ask?handle=${encodeURIComponent(first)}&${twice}`);
    await answer(page);
    await page.waitForSelector("table.compare");
    const linked = await heads();
    const plus = page.getByRole("button", { name: /^Compare with/ });
    const added = [];
    while ((await plus.and(page.locator(":enabled")).count()) > 0 && added.length < 5) {
      const next = plus.and(page.locator(":enabled")).first();
      added.push(await next.getAttribute("data-handle"));
      await next.click();
      await page.getByRole("button", { name: `Remove ${added.at(-1)}` }).waitFor();
    }
    const [file] = await Promise.all([
      page.waitForEvent("download"),
      page
        .locator(".card")
        .filter({ has: page.locator("table.compare") })
        .getByRole("button", { name: "CSV" })
        .click(),
    ]);
    const csv = [];
    for await (const chunk of await file.createReadStream()) csv.push(chunk.toString());
    const pictures = [];
    for (const of of ["comparison", "most similar"])
      pictures.push(await pictureOf(page, page.getByRole("button", { name: `PNG of the ${of}` })));
    return {
      pictures,
      linked,
      added,
      full: await heads(),
      why: await plus.first().getAttribute("title"),
      csv: csv.join(""),
    };
  },

  /** Two questions for the similar in flight: the first is answered last. */
  async race(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    await answer(page);
    let late;
    const done = new Promise((resolve) => (late = resolve));
    await page.route(/\/similar\?.*k=3(&|$)/, async (route) => {
      const response = await route.fetch();
      await new Promise((resolve) => setTimeout(resolve, 1500));
      await route.fulfill({ response });
      setTimeout(late, 300);
    });
    const count = page.locator("label.field").filter({ hasText: "how many" }).locator("input");
    const asked = page.waitForRequest(/similar\?.*k=3(&|$)/);
    await count.fill("3");
    await asked;
    await count.fill("5");
    await done;
    return {
      rows: await page.locator('[aria-label="Most similar accounts"] tbody tr').count(),
      link: page.url(),
    };
  },

  /** Figures that are hardly meant: a rate of 139 %, likes that do not go with the followers. */
  async doubts(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    await answer(page);
    const labels = await page.locator(".profile-field label").allTextContents();
    const field = (name) =>
      page
        .locator(".profile-field")
        .filter({ has: page.locator("label", { hasText: new RegExp(`^${name}$`) }) });
    const said = async () => {
      await page.waitForSelector(".doubts .note");
      return page.locator(".doubts").textContent();
    };
    await field("Engagement rate").locator("input[type=text]").fill("1.39");
    const rate = {
      said: await said(),
      meaning: await field("Engagement rate").locator(".understood").textContent(),
    };
    await page.locator(".doubts button").click();
    await page.waitForFunction(
      () =>
        location.hash.includes("1.39%25") &&
        !/139\s%/.test(document.querySelector(".doubts").textContent),
    );
    const mended = page.url();
    await visit(page, "overview");
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    await answer(page);
    await field("Followers").locator("input[type=text]").fill(options.followers);
    const size = {
      said: await said(),
      facts: await page.locator(".who").textContent(),
      meaning: await field("Followers").locator(".understood").textContent(),
    };
    await page.locator(".doubts button").click();
    await page.waitForFunction(
      () => location.hash.includes("avg_likes=") && !document.querySelector(".doubts .note"),
    );
    const scaled = page.url();
    const unknown = await page.getByText("The daemon does not know").count();
    await visit(page, "ask?followers=100k&avg_likes=2k");
    await answer(page);
    const standing = await field("Engagement rate")
      .locator("input[type=text]")
      .getAttribute("placeholder");
    return {
      standing,
      labels,
      rate,
      mended,
      size,
      scaled,
      unknown,
    };
  },

  /** Back from one account to the other; a pasted address; a near miss. */
  async search(browser) {
    const page = await open(browser);
    const [first, second] = options.handles;
    const box = page.getByRole("combobox", { name: "Find an account" });
    const name = async (handle) => {
      await page.locator(".who-name", { hasText: handle }).waitFor();
      await answer(page);
    };
    await visit(page, "ask");
    await box.fill(`https://www.example.com/${first}/?hl=en`);
    await page.keyboard.press("Enter");
    await name(first);
    await box.fill(second);
    await page.keyboard.press("Enter");
    await name(second);
    await page.goBack();
    await name(first);
    const back = page.url();
    await box.fill(options.miss);
    await page.keyboard.press("Enter");
    const near = page.locator(".failed button").first();
    await near.waitFor();
    const closest = await near.textContent();
    await near.click();
    await name(closest);
    await visit(page, `ask?handle=${options.nobody}`);
    const said = page.locator(".failed");
    await said.getByRole("button", { name: "Type its figures" }).waitFor();
    const unknown = await said.textContent();
    await said.getByRole("button", { name: "Type its figures" }).click();
    await said.waitFor({ state: "detached" });
    const typing = await page.evaluate(
      () => document.activeElement.closest(".profile-field")?.querySelector("label").textContent,
    );
    problems.splice(
      0,
      problems.length,
      ...problems.filter((problem) => !/status of 404/.test(problem)),
    );
    return { back, closest, unknown, typing, typed: page.url() };
  },

  /** The whole answer as a table and as a picture. */
  async answerOut(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    const { titles } = await answer(page);
    const out = async (kind) => {
      const [file] = await Promise.all([
        page.waitForEvent("download"),
        page.getByRole("button", { name: `${kind} of the answer` }).click(),
      ]);
      await file.saveAs(options[kind.toLowerCase()]);
      return file.suggestedFilename();
    };
    await drawAll(page);
    const track = await page.locator(".answers .track").first().getAttribute("aria-label");
    const waterfall = (await chartCards(page))[0];
    const text = await page.locator(".panels").textContent();
    const heads = await page
      .locator('[aria-label="Most similar accounts"] thead th')
      .allTextContents();
    return { titles, track, waterfall, text, heads, names: [await out("CSV"), await out("PNG")] };
  },

  /** On a phone: where the score stands, and whether it stays in sight beside the sliders. */
  async phone(browser) {
    const page = await open(browser, { width: 375, height: 740 });
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    await answer(page);
    const { y } = await page.locator(".score-value").boundingBox();
    await page.getByRole("button", { name: "Change the figures" }).click();
    const slider = page.getByRole("slider").first();
    await slider.scrollIntoViewIfNeeded();
    await slider.fill("30");
    await page.waitForSelector(".track .dot.ghost");
    const { score } = await answer(page);
    const brief = page.locator(".brief");
    const at = await brief.boundingBox();
    return {
      y,
      score,
      brief: await brief.textContent(),
      top: at.y,
      sliderSeen: (await slider.boundingBox()).y < at.y,
    };
  },

  /** From the first Tab to an answer and a moved slider, without a mouse. */
  async keyboard(browser) {
    const page = await open(browser);
    await visit(page, "overview");
    const focused = () =>
      page.evaluate(() => ({
        text: document.activeElement.textContent.slice(0, 40),
        outline: getComputedStyle(document.activeElement).outlineStyle,
        tag: document.activeElement.tagName,
      }));
    const path = [];
    for (let i = 0; i < 8; i++) {
      await page.keyboard.press("Tab");
      path.push(await focused());
      if (path[i].text === "Ask") break;
    }
    await page.keyboard.press("Enter");
    await page.waitForSelector('[data-section="ask"]');
    await page.keyboard.press("Tab");
    await page.keyboard.type(options.handle);
    await page.getByRole("option").filter({ hasText: options.handle }).first().waitFor();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("Enter");
    const first = await answer(page);
    const slider = page.getByRole("slider").first();
    for (
      let i = 0;
      i < 30 && !(await slider.evaluate((element) => element === document.activeElement));
      i++
    )
      await page.keyboard.press("Tab");
    for (let i = 0; i < 20; i++) await page.keyboard.press("ArrowLeft");
    await page.waitForSelector(".track .dot.ghost");
    return { path, first, second: await answer(page), url: page.url() };
  },

  /** What axe-core finds serious. The policy keeps axe out, so that it is lifted for this check. */
  async axe(browser) {
    const page = await open(browser, { ...options, bypassCSP: true });
    const found = {};
    for (const section of SECTIONS) {
      await visit(
        page,
        section === "ask" ? `ask?handle=${encodeURIComponent(options.handle)}` : section,
      );
      if (section === "ask") await answer(page);
      await drawAll(page);
      if (section === SECTIONS[0]) await page.addScriptTag({ path: AXE });
      const { violations } = await page.evaluate(() => axe.run(document));
      found[section] = violations
        .filter((violation) => ["serious", "critical"].includes(violation.impact))
        .map(
          (violation) =>
            `${violation.id}: ${violation.nodes
              .slice(0, 3)
              .map((node) => node.html.slice(0, 120))
              .join(" | ")}`,
        );
    }
    return found;
  },

  /** The network, dragged and zoomed, and the links that it suggests. */
  async network(browser) {
    const page = await open(browser);
    await visit(page, "network");
    await drawAll(page);
    const chart = page.locator(".chart").first();
    await chart.scrollIntoViewIfNeeded();
    const picture = () =>
      chart
        .locator("canvas")
        .evaluateAll((layers) => layers.map((layer) => layer.toDataURL()).join());
    const { x, y, width, height } = await chart.boundingBox();
    const settled = async () => {
      await page.mouse.move(x + width / 2, y + height + 40);
      await page.waitForTimeout(600);
      return picture();
    };
    const looks = { still: await settled() };
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.mouse.down();
    await page.mouse.move(x + width / 2 + 120, y + height / 2 + 60, { steps: 8 });
    await page.mouse.up();
    looks.dragged = await settled();
    await page.mouse.move(x + width / 2, y + height / 2);
    await page.keyboard.down("Control");
    for (let i = 0; i < 4; i++) await page.mouse.wheel(0, -200);
    await page.keyboard.up("Control");
    looks.wheeled = await settled();
    const all = page.getByRole("button", { name: "Show all of it" }).first();
    await all.click();
    looks.all = await settled();
    await page.getByRole("button", { name: "Zoom in" }).first().focus();
    await page.keyboard.press("Enter");
    looks.pressed = await settled();
    await page.keyboard.press("ArrowLeft");
    looks.stepped = await settled();
    await page.locator(".legend button").first().click();
    looks.without = await settled();
    const names = Object.keys(looks);
    const same = names.flatMap((a, i) =>
      names
        .slice(i + 1)
        .filter((b) => looks[a] === looks[b])
        .map((b) => `${a} = ${b}`),
    );
    const links = await page.evaluate(() =>
      [...document.querySelectorAll('[aria-label="Collaborations"] tbody tr')].map((row) =>
        [...row.children].map((cell) => cell.textContent),
      ),
    );
    const heading = await page
      .locator("h3")
      .filter({ hasText: "Collaborations" })
      .allTextContents();
    return { same, links, heading, groups: await page.locator(".legend button").allTextContents() };
  },

  /** Look-alikes through filters, which the link keeps. */
  async filters(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    await answer(page);
    const rows = () =>
      page
        .locator('[aria-label="Most similar accounts"] tbody tr td:first-child')
        .allTextContents();
    const before = await rows();
    const asked = page.waitForResponse((response) => response.url().includes("category="));
    await page
      .locator(".card")
      .filter({ has: page.locator("h3", { hasText: "Most similar" }) })
      .locator("select")
      .first()
      .selectOption(options.category);
    await asked;
    await page.waitForFunction(
      (first) =>
        document.querySelector('[aria-label="Most similar accounts"] tbody')?.textContent !== first,
      before.join(),
    );
    await page.waitForTimeout(300);
    const [handles, categories] = [
      await rows(),
      await page
        .locator('[aria-label="Most similar accounts"] tbody tr td:nth-child(2)')
        .allTextContents(),
    ];
    const link = page.url();
    await page.goto("about:blank");
    await page.goto(link);
    await answer(page);
    return { before, handles, categories, again: await rows(), link };
  },

  /** A part of the scatter, selected. */
  async brush(browser) {
    const page = await open(browser);
    await visit(page, "explore");
    await drawAll(page);
    const card = page
      .locator(".card")
      .filter({ has: page.locator(".chart") })
      .first();
    await card.getByRole("button", { name: "Select a part" }).click();
    const chart = card.locator(".chart");
    await chart.scrollIntoViewIfNeeded();
    const { x, y, width, height } = await chart.boundingBox();
    const select = async (from, to) => {
      await page.mouse.move(x + width * from, y + height * 0.05);
      await page.mouse.down();
      await page.mouse.move(x + width * to, y + height * 0.85, { steps: 8 });
      await page.mouse.up();
      await page.waitForTimeout(500);
      return card.locator("h4").textContent();
    };
    const some = await select(0.4, 0.6);
    const all = await select(0.08, 0.98);
    const rows = await card.locator('[aria-label="Selected accounts"] tbody tr').count();
    const field = (name) => card.getByRole("textbox", { name, exact: true });
    const drawn = await field("followers from").inputValue();
    for (const input of await card
      .getByRole("group", { name: "The part selected" })
      .getByRole("textbox")
      .all())
      await input.fill("");
    await field("followers from").fill(options.from);
    await field("followers to").fill(options.to);
    const said = `followers ${options.from} to ${options.to}`;
    await card.locator("h4", { hasText: said }).waitFor();
    await page.getByLabel("colour by").getByRole("button", { name: "size" }).click();
    await field("followers to").fill("many");
    await card.locator('input[aria-invalid="true"]').waitFor();
    return { some, all, rows, drawn, typed: await card.locator("h4").textContent() };
  },

  /** The daemon goes silent, a proxy answers in its place, it refuses, then is back: what the page says of the answer it has. */
  async outage(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    const before = await answer(page);
    const followers = page.locator(".profile-field input[type=text]").first();
    const said = [];
    const html = (status) => (route) =>
      route.fulfill({ status, contentType: "text/html", body: "<h1>A proxy</h1>" });
    const trouble = [
      (route) => route.abort(),
      html(503),
      html(429),
      html(200),
      (route) =>
        route.fulfill({
          status: 503,
          contentType: "application/json",
          body: '{"error":{"code":"overloaded","message":"too many requests at once"}}',
        }),
    ];
    for (const [i, fail] of trouble.entries()) {
      await page.route(/\/(score|tier|cluster)(\?|$)/, fail);
      await followers.fill(`${options.followers}${i}`);
      await page.waitForFunction(
        (old) => ![old, undefined].includes(document.querySelector(".stale-note")?.textContent),
        said[i - 1],
      );
      said.push(await page.locator(".stale-note").textContent());
      await page.unroute(/\/(score|tier|cluster)(\?|$)/);
    }
    const kept = (await page.locator(".score-value").textContent()).trim();
    await page.getByRole("button", { name: "Try again" }).click();
    await page.locator(".stale-note").waitFor({ state: "detached" });
    const after = await answer(page);
    problems.splice(
      0,
      problems.length,
      ...problems.filter((problem) => !/ERR_FAILED|status of (503|429)/.test(problem)),
    );
    return { before, said, kept, after };
  },

  /** A report without some of its parts: what each section says, or that it stands. */
  async damaged(browser) {
    const page = await open(browser);
    await page.route(/\/report$/, async (route) => {
      const report = await (await route.fetch()).json();
      for (const part of options.without) delete report[part];
      await route.fulfill({ json: report });
    });
    const found = {};
    for (const section of SECTIONS) {
      await visit(page, section);
      found[section] = await page.evaluate(() => ({
        failed: document.querySelector(".failed")?.textContent ?? "",
        title: document.querySelector(".title").textContent,
      }));
    }
    problems.splice(
      0,
      problems.length,
      ...problems.filter((problem) => !/TypeError/.test(problem)),
    );
    return found;
  },

  /** The daemon is killed and started again; Ask and Live say so, and go on. */
  async killed(browser) {
    const page = await open(browser);
    await visit(page, `ask?handle=${encodeURIComponent(options.handle)}`);
    await answer(page);
    const followers = page.locator(".profile-field input[type=text]").first();
    await haveDone("kill");
    await followers.fill(options.followers);
    await page.locator(".stale-note").waitFor();
    const said = [await page.locator(".stale-note").textContent()];
    const asked = page.url();
    const go = (address) => page.evaluate((to) => void (location.href = to), address);
    await go(`${url}#/live`);
    await page.locator('[data-section="live"] .failed').waitFor();
    said.push(await page.locator(".failed").textContent());
    await go(asked);
    await page.locator('[data-section="ask"] .failed').waitFor();
    said.push(await page.locator(".failed").textContent());
    await haveDone("start");
    await page.getByRole("button", { name: "Try again" }).click();
    const after = await answer(page);
    await go(`${url}#/live`);
    await page.locator('[data-section="live"] .figure .value').first().waitFor();
    const failed = await page.locator(".failed").count();
    problems.splice(
      0,
      problems.length,
      ...problems.filter(
        (problem) => !/ERR_CONNECTION_(REFUSED|RESET)|ERR_EMPTY_RESPONSE/.test(problem),
      ),
    );
    return { said, after, failed };
  },

  /** Each chart of every section as a picture: its size, and how many colours it has. */
  async pictures(browser) {
    const page = await open(browser, options);
    const found = [];
    for (const section of options.sections ?? SECTIONS) {
      await visit(
        page,
        section === "ask" ? `ask?handle=${encodeURIComponent(options.handle)}` : section,
      );
      if (section === "ask") await answer(page);
      if (section === "live") await page.waitForSelector(".chart"); // rates need two looks
      await drawAll(page);
      for (const button of await page
        .locator(".card:has(.chart) .actions button", { hasText: "PNG" })
        .all()) {
        found.push({ section, ...(await pictureOf(page, button)) });
      }
    }
    return found;
  },

  /** Every table that stands by itself, as CSV. */
  async tables(browser) {
    const page = await open(browser, options);
    const found = {};
    for (const section of ["explore", "data", "models", "network", "live"]) {
      await visit(page, section);
      await page.waitForSelector("table");
      found[section] = [];
      for (const button of await page.locator('.table-more button[aria-label^="CSV of"]').all()) {
        const [file] = await Promise.all([page.waitForEvent("download"), button.click()]);
        const lines = [];
        for await (const chunk of await file.createReadStream()) lines.push(chunk.toString());
        found[section].push({
          of: await button.getAttribute("aria-label"),
          name: file.suggestedFilename(),
          text: lines.join(""),
        });
      }
    }
    return found;
  },

  /** The ways out of a chart. */
  async exports(browser) {
    const page = await open(browser);
    await visit(page, "explore");
    await drawAll(page);
    const card = page
      .locator(".card")
      .filter({ has: page.locator(".chart") })
      .first();
    await card.getByRole("button", { name: "Table" }).click();
    const header = card.locator("th button").nth(1);
    await header.click();
    const column = () => card.locator("tbody tr td:nth-child(2)").allTextContents();
    const falling = await column();
    await header.click();
    const rising = await column();
    const [csv] = await Promise.all([
      page.waitForEvent("download"),
      card.getByRole("button", { name: "CSV" }).click(),
    ]);
    const [png] = await Promise.all([
      page.waitForEvent("download"),
      card.getByRole("button", { name: "PNG" }).click(),
    ]);
    await csv.saveAs(options.csv);
    await png.saveAs(options.png);
    return { falling, rising };
  },

  /** What Lighthouse looks at, section by section. */
  async manners(browser) {
    const page = await open(browser, options);
    await watch(page);
    const found = {};
    for (const section of SECTIONS) {
      await page.goto("about:blank");
      await visit(
        page,
        section === "ask" ? `ask?handle=${encodeURIComponent(options.handle)}` : section,
      );
      if (section === "ask") await answer(page);
      await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
      const seen = await page.evaluate(watched);
      await drawAll(page);
      found[section] = await page.evaluate(() => {
        const small = [...document.querySelectorAll("a, button, input, select, summary")].filter(
          (element) => {
            // Links within sentences and tables are excepted by WCAG 2.5.8.
            if (
              element.closest("p, li.note, .note, td, dd, .hidden, .skip, [hidden]") ||
              getComputedStyle(element).visibility === "hidden"
            )
              return false;
            const { width, height } = element.getBoundingClientRect();
            return width > 0 && Math.min(width, height) < 23.5;
          },
        );
        return {
          title: document.title,
          lang: document.documentElement.lang,
          viewport: document.querySelector("meta[name=viewport]")?.content,
          description: document.querySelector("meta[name=description]")?.content,
          small: small.map((element) => element.outerHTML.slice(0, 120)),
          unnamed: [...document.querySelectorAll("button, a, input, select")]
            .filter(
              (element) =>
                !(
                  element.textContent.trim() ||
                  element.getAttribute("aria-label") ||
                  element.labels?.length
                ),
            )
            .map((element) => element.outerHTML.slice(0, 120)),
        };
      });
      Object.assign(found[section], seen);
    }
    return found;
  },

  /** A view that was chosen comes back by its link. */
  async links(browser) {
    const page = await open(browser);
    await visit(page, "explore");
    await page.getByRole("button", { name: "size", exact: true }).click();
    await page.getByRole("button", { name: "Pearson" }).click();
    await page.getByRole("link", { name: "Link to" }).first().click();
    const link = page.url();
    await page.goto("about:blank");
    await page.goto(link);
    await page.waitForSelector('[data-section="explore"] h2');
    return {
      link,
      pressed: await page.locator(".segments button[aria-pressed=true]").allTextContents(),
    };
  },

  /** How long until the first chart, from an empty cache; a table where it stands before any. */
  async speed(browser) {
    const page = await open(browser);
    await watch(page);
    const start = Date.now();
    await page.goto(`${url}#/${options.section ?? "explore"}`, { waitUntil: "commit" });
    await page.waitForSelector('.chart[data-drawn="true"] canvas, .spark, main table tbody tr');
    const first_chart_ms = Date.now() - start;
    // Interactive: the page has nothing left to do, and answers to a click.
    await page.evaluate(() => new Promise((resolve) => requestIdleCallback(resolve)));
    const interactive_ms = Date.now() - start;
    return { first_chart_ms, interactive_ms, ...(await page.evaluate(watched)) };
  },
};

const browser = await chromium.launch({ executablePath, args: LAUNCH });
try {
  const found = await checks[check](browser);
  console.log(JSON.stringify({ found, problems }));
} finally {
  process.stdin.destroy();
  await browser.close();
}
