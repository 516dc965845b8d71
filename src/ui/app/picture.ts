// SPDX-License-Identifier: Apache-2.0
// Pictures to paste somewhere: texts, colours and a drawing, from the top down.

import { download } from "./dom";
import { theme } from "./theme";

/** Pixels of the picture for one of the page: sharp also where it is shown larger. */
export const PICTURE_SCALE = 2;
const MARGIN = 20;

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

/** Written twice: to learn how tall it is, and to keep. */
export function savePicture(name: string, width: number, write: (on: PicturePen) => void): void {
  const canvas = document.createElement("canvas");
  const pen = canvas.getContext("2d");
  if (!pen) return;
  const dry = new PicturePen(pen, width, true);
  write(dry);
  canvas.width = (width + 2 * MARGIN) * PICTURE_SCALE;
  canvas.height = Math.ceil(dry.y + 16) * PICTURE_SCALE;
  pen.scale(PICTURE_SCALE, PICTURE_SCALE);
  pen.fillStyle = theme().card;
  pen.fillRect(0, 0, canvas.width, canvas.height);
  write(new PicturePen(pen, width, false));
  canvas.toBlob((blob) => blob && download(`${name}.png`, blob));
}
