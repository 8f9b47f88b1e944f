// The guide's frames, from text to typed values and back. Pure: nothing here touches a socket.

export type Role = "user" | "assistant";
export type Channel = "voice" | "room" | "chat";
/** Words that somebody said or typed; or something to read: a note, or what a tool gave back. */
export type Kind = "speech" | "note" | "tool";

export interface Message {
  /** The server's id, or null where it gives none: the guide asks for the text alone. */
  readonly id: string | null;
  readonly seq: number | null;
  readonly role: Role;
  readonly text: string;
  readonly channel: Channel;
  readonly interrupted: boolean;
  readonly replyTo: string | null;
  readonly createdAt: string | null;
  readonly kind: Kind;
}

/** What somebody is saying or typing right now; the text is empty while there are no words yet. */
export interface LiveTurn {
  readonly text: string;
  readonly channel: Channel;
}

export type ServerFrame =
  | { readonly kind: "message"; readonly message: Message }
  | { readonly kind: "typing"; readonly role: Role; readonly live: LiveTurn | null }
  | { readonly kind: "presence"; readonly agent: boolean }
  | { readonly kind: "error"; readonly code: string; readonly message: string; readonly id: string | null }
  | { readonly kind: "ignored" }
  | { readonly kind: "malformed" };

type Json = Record<string, unknown>;

/** Stands for words that are not known yet. */
const WAITING = "…";

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const textOr = <T>(value: unknown, other: T): string | T => (typeof value === "string" ? value : other);
const asRole = (value: unknown): Role => (value === "user" ? "user" : "assistant");
const asKind = (value: unknown): Kind => (value === "note" || value === "tool" ? value : "speech");
const asChannel = (value: unknown): Channel => (value === "voice" || value === "room" ? value : "chat");

/** Reads one `<message>`: an object with a text, or a bare string; null for anything else. */
export function parseMessage(value: unknown): Message | null {
  if (typeof value === "string") return parseMessage({ text: value, role: "assistant" });
  if (!isObject(value) || typeof value.text !== "string") return null;
  return {
    id: textOr(value.id, null) || null,
    seq: typeof value.seq === "number" ? value.seq : null,
    role: asRole(value.role),
    text: value.text,
    channel: asChannel(value.channel),
    interrupted: value.interrupted === true,
    replyTo: textOr(value.reply_to, null),
    createdAt: textOr(value.created_at, null),
    kind: asKind(value.kind),
  };
}

function parseTyping(payload: unknown): ServerFrame {
  if (!isObject(payload)) return { kind: "malformed" };
  const role = asRole(payload.role);
  if (payload.active === false) return { kind: "typing", role, live: null };
  const text = textOr(payload.text, "");
  return { kind: "typing", role, live: { text: text === WAITING ? "" : text, channel: asChannel(payload.channel) } };
}

function parseError(payload: unknown): ServerFrame {
  const error = isObject(payload) ? payload : {};
  return {
    kind: "error",
    code: textOr(error.code, "unknown"),
    message: textOr(error.message, "The server reports an error."),
    id: textOr(error.id, null),
  };
}

/** Reads one frame; never throws (guide, best practice 3: parse messages safely). */
export function parseFrame(raw: unknown): ServerFrame {
  let frame: unknown;
  try {
    frame = JSON.parse(String(raw));
  } catch {
    return { kind: "malformed" };
  }
  if (!isObject(frame)) return { kind: "malformed" };
  const payload = "payload" in frame ? frame.payload : frame.message;
  switch (frame.event ?? frame.type) {
    case "message": {
      const message = parseMessage(payload);
      return message ? { kind: "message", message } : { kind: "malformed" };
    }
    case "typing":
      return parseTyping(payload);
    case "presence":
      return { kind: "presence", agent: isObject(payload) && payload.agent === true };
    case "error":
      return parseError(payload);
    default:
      return { kind: "ignored" };
  }
}

/** The guide's frame for a typed message, with the id that makes sending it again harmless. */
export function typedMessageFrame(id: string, message: string) {
  return { event: "action", data: { action: "next", execution_type: "chat", message, id } } as const;
}

/** Tells the others that this person is typing, or no longer; never stored. */
export function typingFrame(active: boolean) {
  const data = { action: "partial", role: "user", channel: "chat", text: active ? WAITING : "" } as const;
  return { event: "action", data } as const;
}
