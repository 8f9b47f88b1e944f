// How the chat WebSocket is reached and reached again: the guide's best practices as values. Pure.

export const RECONNECT_ATTEMPTS = 10;

/** Exponential back-off: 1 s, 2 s, 4 s, 8 s … at most 30 s (guide, best practice 2). */
export const reconnectInterval = (attempt: number): number => Math.min(1000 * 2 ** attempt, 30_000);

/** Never after a deliberate close (1000) and never after the component is gone (guide, best practices 1 and 2). */
export const mayReconnect = (closeCode: number, didUnmount: boolean): boolean => !didUnmount && closeCode !== 1000;

export interface Identity {
  /** The JWT of a signed-in user, or null for an anonymous visitor. */
  readonly token: string | null;
  readonly name: string | null;
  readonly visitorId: string;
}

/** The query of a signed-in or an anonymous client (guide, pattern 3). */
export function connectionParams(identity: Identity, appType: string): Record<string, string> {
  return identity.token
    ? { token: identity.token, app_type: appType }
    : { session_user: identity.visitorId, app_type: appType };
}

/** An address with an encoded query: react-use-websocket puts `queryParams` into it as they are. */
export const withQuery = (url: string, params: Record<string, string>): string =>
  `${url}?${new URLSearchParams(params)}`;

export const conversationUrl = (chatApiUrl: string, conversationId: string): string =>
  `${chatApiUrl}conversation/${encodeURIComponent(conversationId)}/`;

export const historyUrl = (chatApiUrl: string, conversationId: string): string =>
  `${conversationUrl(chatApiUrl, conversationId).replace(/^ws/, "http")}messages/`;

/** How the chat is, as a person sees it; the moments between two attempts all belong to one state. */
export type ChatState = "connecting" | "connected" | "reconnecting" | "disconnected";

export interface ConnectionFacts {
  /** Whether the socket is open. */
  readonly open: boolean;
  /** Whether it has been open before. */
  readonly wasOpen: boolean;
  /** Nobody tries any more: closed on purpose, attempts used up, or refused. */
  readonly gaveUp: boolean;
}

export function chatState({ open, wasOpen, gaveUp }: ConnectionFacts): ChatState {
  if (open) return "connected";
  if (gaveUp) return "disconnected";
  return wasOpen ? "reconnecting" : "connecting";
}

export const CHAT_WORDS: Readonly<Record<ChatState, string>> = {
  connecting: "Chat is connecting …",
  connected: "Chat is connected",
  reconnecting: "Chat is reconnecting …",
  disconnected: "Chat is disconnected",
};
