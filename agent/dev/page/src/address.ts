// Which conversation the page shows: the one that its address names, else the last one of this person.

import type { Identity } from "./chat/connection";

const PARAMETER = "conversation";

const isConversation = (id: string | null): id is string => id !== null && /^[A-Za-z0-9_-]{1,128}$/.test(id);

/** The conversation that the address names, or null. */
export function conversationInAddress(): string | null {
  const named = new URL(location.href).searchParams.get(PARAMETER);
  return isConversation(named) ? named : null;
}

/** Puts a conversation into the address, so that a reload comes back; as a new step of the history when asked to. */
export function showInAddress(conversation: string, step: boolean): void {
  if (conversationInAddress() === conversation) return;
  const address = new URL(location.href);
  address.searchParams.set(PARAMETER, conversation);
  if (step) history.pushState(null, "", address);
  else history.replaceState(null, "", address);
}

export const newConversation = (): string => crypto.randomUUID();

// Signed-in people and visitors each have conversations of their own.
const lastKey = ({ token, name }: Identity): string => (token ? `lastConversation:${name}` : "lastConversation");

export function rememberConversation(identity: Identity, conversation: string): void {
  localStorage.setItem(lastKey(identity), conversation);
}

/** The conversation that this person was in last, else a new one. */
export function lastConversation(identity: Identity): string {
  const last = localStorage.getItem(lastKey(identity));
  return isConversation(last) ? last : newConversation();
}
