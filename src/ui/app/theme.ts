// SPDX-License-Identifier: Apache-2.0
// Colours of the charts in both themes, and the switch. The rest of the look is in app.css.

export interface Theme {
  dark: boolean;
  ink: string;
  muted: string;
  faint: string;
  line: string;
  grid: string;
  card: string;
  accent: string;
  ghost: string;
  /** Okabe and Ito (2008): told apart by people with any colour vision. */
  categories: string[];
  other: string;
  /** One hue, from little to much. */
  amounts: string[];
  /** Below zero, zero, above zero. */
  diverging: string[];
  good: string;
  bad: string;
}

const CATEGORIES = [
  "#0072B2",
  "#E69F00",
  "#009E73",
  "#CC79A7",
  "#56B4E9",
  "#D55E00",
  "#B8A900",
  "#7A5AA6",
];

const LIGHT: Theme = {
  dark: false,
  ink: "#1b1e22",
  muted: "#555b63",
  faint: "#6b7179",
  line: "#c9cdd2",
  grid: "#eceef0",
  card: "#ffffff",
  accent: "#0072B2",
  ghost: "#9aa1a9",
  categories: CATEGORIES,
  other: "#a3a9b0",
  amounts: ["#e6f0f8", "#b9d7ec", "#7fb6dc", "#3f8fc4", "#0e6aa3", "#064a77"],
  diverging: ["#b34700", "#e39a66", "#f3f3f2", "#74b0d8", "#00609a"],
  good: "#00609a",
  bad: "#b34700",
};

const DARK: Theme = {
  dark: true,
  ink: "#e7eaee",
  muted: "#a8afb8",
  faint: "#8d959e",
  line: "#444b53",
  grid: "#262b30",
  card: "#171a1e",
  accent: "#56B4E9",
  ghost: "#747c86",
  categories: [
    "#4FA3DC",
    "#E69F00",
    "#1DB88B",
    "#D98BB5",
    "#8CCDF2",
    "#EA7A33",
    "#F0E442",
    "#A78BD6",
  ],
  other: "#6c747d",
  amounts: ["#1b2a36", "#1d4460", "#20628e", "#3485bb", "#64ade0", "#b5dcf7"],
  diverging: ["#ef8b4a", "#9b5a30", "#2a2e33", "#2f6d98", "#64b5ea"],
  good: "#64b5ea",
  bad: "#ef8b4a",
};

const STORED = "influence-theme";
const listeners = new Set<() => void>();
const systemDark = matchMedia("(prefers-color-scheme: dark)");

/** "light", "dark", or "" for as the system says. */
let choice = readChoice();

function readChoice(): string {
  try {
    return localStorage.getItem(STORED) ?? "";
  } catch {
    return ""; // a file from disk, or storage switched off
  }
}

export function theme(): Theme {
  return isDark() ? DARK : LIGHT;
}

export function isDark(): boolean {
  return choice === "" ? systemDark.matches : choice === "dark";
}

export function toggleTheme(): void {
  choice = isDark() ? "light" : "dark";
  if ((choice === "dark") === systemDark.matches) choice = "";
  try {
    localStorage.setItem(STORED, choice);
  } catch {
    // Then it holds until the page is closed.
  }
  apply();
}

export function onThemeChange(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

function apply(): void {
  document.documentElement.dataset.theme = isDark() ? "dark" : "light";
  listeners.forEach((listener) => listener());
}

systemDark.addEventListener("change", apply);
apply();

/** The colour at t (0..1) of a ramp, mixed in RGB between its stops. */
export function rampAt(ramp: string[], t: number): string {
  const place = Math.min(Math.max(t, 0), 1) * (ramp.length - 1);
  const low = Math.min(Math.floor(place), ramp.length - 2);
  const channel = (colour: string, i: number) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  const mixed = [0, 1, 2].map((i) => {
    const from = channel(ramp[low], i);
    return Math.round(from + (channel(ramp[low + 1], i) - from) * (place - low));
  });
  return `#${mixed.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Colours of `count` ordered groups, little to much. */
export function orderedColours(count: number): string[] {
  const ramp = theme().amounts.slice(1);
  return Array.from({ length: count }, (_, i) => rampAt(ramp, count > 1 ? i / (count - 1) : 1));
}

/** The colour of the group with an index; -1 and beyond the palette is grey. */
export function groupColour(index: number): string {
  return index >= 0 && index < theme().categories.length
    ? theme().categories[index]
    : theme().other;
}
