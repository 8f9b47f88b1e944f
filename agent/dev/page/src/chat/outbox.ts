// What was typed and not yet acknowledged, so that a reload of this tab loses nothing. The server stores an id once.

import type { Unsent } from "./thread";

const keyOf = (conversation: string): string => `unsent:${conversation}`;

export function keepUnsent(conversation: string, unsent: readonly Unsent[]): void {
  if (unsent.length === 0) sessionStorage.removeItem(keyOf(conversation));
  else sessionStorage.setItem(keyOf(conversation), JSON.stringify(unsent.map(({ id, text }) => ({ id, text }))));
}

export function recallUnsent(conversation: string): readonly Unsent[] {
  try {
    const kept: unknown = JSON.parse(sessionStorage.getItem(keyOf(conversation)) ?? "[]");
    return Array.isArray(kept) ? kept.filter(isKept).map(({ id, text }) => ({ id, text, refused: null })) : [];
  } catch {
    return [];
  }
}

const isKept = (value: unknown): value is { id: string; text: string } =>
  typeof value === "object" &&
  value !== null &&
  typeof (value as { id?: unknown }).id === "string" &&
  typeof (value as { text?: unknown }).text === "string";
