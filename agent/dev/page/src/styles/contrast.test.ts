// @vitest-environment node
// The colours of base.css against each other, in the light and in the dark (WCAG 2.2, 1.4.3 and 1.4.11).

import { describe, expect, test } from "vitest";
import css from "./base.css?raw";

const tokens = new Map(
  [...css.matchAll(/--([\w-]+): light-dark\((#[0-9a-f]{6}), (#[0-9a-f]{6})\)/g)].map(([, name, light, dark]) => [
    name,
    { light, dark },
  ]),
);

/** Relative luminance, as WCAG defines it. */
function luminance(colour: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const channel = Number.parseInt(colour.slice(at, at + 2), 16) / 255;
    return channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string, mode: "light" | "dark"): number {
  const [a, b] = [one, other].map((name) => {
    const colour = tokens.get(name)?.[mode];
    if (!colour) throw new Error(`base.css has no colour --${name}`);
    return luminance(colour);
  }) as [number, number];
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

describe.each(["light", "dark"] as const)("in the %s", (mode) => {
  test.each([
    ["text", "ground"],
    ["text", "surface"],
    ["text", "raised"],
    ["text", "mine"],
    ["dim", "ground"],
    ["dim", "surface"],
    ["dim", "raised"],
    ["dim", "mine"],
    ["on-accent", "accent"],
    ["on-danger", "danger"],
    ["danger", "danger-ground"],
    ["danger", "surface"],
  ])("the words: %s on %s", (words, ground) => {
    expect(contrast(words, ground, mode)).toBeGreaterThanOrEqual(4.5);
  });

  test.each([
    ["edge", "surface"],
    ["edge", "ground"],
    ["accent", "surface"],
    ["accent", "ground"],
    ["danger", "surface"],
    ["well", "surface"],
  ])("edges, signs and the focus: %s on %s", (sign, ground) => {
    expect(contrast(sign, ground, mode)).toBeGreaterThanOrEqual(3);
  });
});
