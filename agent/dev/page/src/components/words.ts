// How messages are named in words. Pure.

import type { LiveTurn, Message, Role } from "../chat/frames";

export const whoWords = ({ role }: Pick<Message, "role">): string => (role === "user" ? "You" : "Agent");

export function howWords({ role, channel, kind }: Pick<Message, "role" | "channel" | "kind">): string {
  if (kind === "tool") return "result of a tool";
  if (kind === "note") return "note";
  if (channel === "voice") return "spoken";
  if (channel === "room") return "typed in the call";
  return role === "user" ? "typed" : "written";
}

/** What a screen reader says of a new message, once. */
export function announcement(message: Message): string {
  const cut = message.interrupted ? " — interrupted" : "";
  return `${whoWords(message)}, ${howWords(message)}: ${message.text}${cut}`;
}

export function liveWords(role: Role, { text, channel }: LiveTurn): string {
  if (role === "assistant") return text ? "Agent is speaking …" : "Agent is thinking …";
  return channel === "chat" ? "You are typing in another window …" : "You are speaking …";
}
