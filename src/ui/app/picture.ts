// SPDX-License-Identifier: Apache-2.0
// Pictures to paste somewhere: texts, colours, and a drawing or a table, from the top down.

import { download, h } from "./dom";
import { isNumeric, shownCell, type TableSpec } from "./table";
import { theme } from "./theme";

/** Pixels of the picture for one of the page: sharp also where it is shown larger. */
export const PICTURE_SCALE = 2;
const MARGIN = 20;
const CELL_GAP = 20;
const CELL_MAX = 240;

let source = "";
/** What stands under every picture. */
export function setSource(text: string): void {
  source = text;
}

/** From which data and which bundle, also for those who hover over what they see. */
export function sourceText(): string {
  return source;
}

export interface LegendEntry {
  name: string;
  /** A colour, or var(--one) of the style sheet. */
  colour: string;
}

/** Places are in CSS pixels. */
export class PicturePen {
  y = 16;

  constructor(
    private readonly pen: CanvasRenderingContext2D,
    private readonly width: number,
    private readonly isDry: boolean,
  ) {}

  /** Wrapped to the width, as on the page. */
  text(text: string, size: number, weight: number, colour: string, indent = 0): void {
    this.font(size, weight, colour);
    let line = "";
    for (const word of text.split(" ")) {
      const longer = line ? `${line} ${word}` : word;
      if (line && this.pen.measureText(longer).width > this.width - indent) {
        this.line(line, size, indent);
        line = word;
      } else line = longer;
    }
    this.line(line, size, indent);
  }

  legend(entries: LegendEntry[], ink: string): void {
    this.font(12, 400, ink);
    this.y += 20;
    let x = 0;
    for (const { name, colour } of entries) {
      const wide = this.pen.measureText(name).width + 30;
      if (x > 0 && x + wide > this.width) {
        x = 0;
        this.y += 18;
      }
      if (!this.isDry) {
        this.pen.fillStyle = resolved(colour);
        this.pen.beginPath();
        this.pen.arc(MARGIN + x + 5, this.y - 4, 5, 0, 2 * Math.PI);
        this.pen.fill();
        this.pen.fillStyle = ink;
        this.pen.fillText(name, MARGIN + x + 16, this.y);
      }
      x += wide;
    }
  }

  drawing(
    height: number,
    draw: (pen: CanvasRenderingContext2D, x: number, y: number) => void,
  ): void {
    if (!this.isDry) draw(this.pen, MARGIN, this.y);
    this.y += height;
  }

  /** Columns as wide as their texts; what is longer than a column may be ends in an ellipsis. */
  table({ heads, rows, widths, isRight }: PictureTable): void {
    const colours = theme();
    const row = (cells: string[], weight: number, colour: string) => {
      this.font(12, weight, colour);
      this.y += 22;
      if (this.isDry) return;
      let x = MARGIN;
      cells.forEach((cell, i) => {
        const text = shortened(this.pen, cell, widths[i]);
        const room = isRight[i] ? widths[i] - this.pen.measureText(text).width : 0;
        this.pen.fillText(text, x + room, this.y);
        x += widths[i] + CELL_GAP;
      });
      this.pen.fillStyle = colours.grid;
      this.pen.fillRect(MARGIN, this.y + 7, this.width, 1);
    };
    row(heads, 600, colours.muted);
    for (const cells of rows) row(cells, 400, colours.ink);
    this.y += 10;
  }

  private font(size: number, weight: number, colour: string): void {
    this.pen.font = `${weight} ${size}px system-ui, sans-serif`;
    this.pen.fillStyle = colour;
  }

  private line(text: string, size: number, indent: number): void {
    this.y += size + 5;
    if (!this.isDry) this.pen.fillText(text, MARGIN + indent, this.y);
  }
}

function resolved(colour: string): string {
  const name = /^var\((.*)\)$/.exec(colour)?.[1];
  return name ? getComputedStyle(document.documentElement).getPropertyValue(name) : colour;
}

/** Written twice: to learn how tall it is, and to keep. The source stands below. */
export function savePicture(name: string, width: number, write: (on: PicturePen) => void): void {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const writeAll = (on: PicturePen) => {
    write(on);
    on.text(source, 11, 400, theme().faint);
  };
  const dry = new PicturePen(pen, width, true);
  writeAll(dry);
  canvas.width = (width + 2 * MARGIN) * PICTURE_SCALE;
  canvas.height = Math.ceil(dry.y + 16) * PICTURE_SCALE;
  pen.scale(PICTURE_SCALE, PICTURE_SCALE);
  pen.fillStyle = theme().card;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  writeAll(new PicturePen(pen, width, false));
  canvas.toBlob((blob) => blob && download(`${name}.png`, blob));
}

interface PictureTable {
  heads: string[];
  rows: string[][];
  widths: number[];
  isRight: boolean[];
}

/** A table as it is shown, without what is drawn or pressed in it. */
export function saveTablePicture(
  name: string,
  title: string,
  subtitle: string,
  spec: TableSpec,
): void {
  const pen = document.createElement("canvas").getContext("2d");
  if (!pen) return;
  const kept = spec.columns.map((_, i) => i).filter((i) => !spec.columns[i].isDrawn);
  const heads = kept.map((i) => spec.columns[i].title);
  const rows = spec.rows.map((row) =>
    kept.map((i) => h("span", null, shownCell(spec.columns[i], row[i], row)).textContent ?? ""),
  );
  pen.font = "600 12px system-ui, sans-serif";
  const widths = heads.map((head, i) =>
    Math.min(
      Math.max(...[head, ...rows.map((row) => row[i])].map((text) => pen.measureText(text).width)),
      CELL_MAX,
    ),
  );
  const width = widths.reduce((sum, one) => sum + one + CELL_GAP, -CELL_GAP);
  const isRight = kept.map((i) => isNumeric(spec, i));
  const colours = theme();
  savePicture(name, Math.max(width, 400), (on) => {
    on.text(title, 16, 600, colours.ink);
    on.text(subtitle, 12, 400, colours.muted);
    on.y += 6;
    on.table({ heads, rows, widths, isRight });
  });
}

function shortened(pen: CanvasRenderingContext2D, text: string, width: number): string {
  if (pen.measureText(text).width <= width + 0.5) return text;
  let end = text.length;
  while (end > 0 && pen.measureText(`${text.slice(0, end)}…`).width > width) end--;
  return `${text.slice(0, end)}…`;
}
