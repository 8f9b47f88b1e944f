import axe from "axe-core";
import { expect } from "vitest";

/**
 * Names, roles and structure as axe-core checks them (WCAG 2.2 A and AA, and its best practices). Colours are checked
 * in styles/contrast.test.ts: jsdom paints nothing.
 */
export async function expectAccessible(): Promise<void> {
  const { violations } = await axe.run(document, { rules: { "color-contrast": { enabled: false } } });
  const found = violations.flatMap(({ id, help, nodes }) => nodes.map(({ html }) => `${id}: ${help}: ${html}`));
  expect(found).toEqual([]);
}
