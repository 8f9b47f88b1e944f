// The thread as the page knows it: a fold over what the server showed and what was typed here. Pure.

import type { LiveTurn, Message, Role, ServerFrame } from "./frames";

/** A message that the page shows; `key` tells it apart where the server gives no id. */
export interface ShownMessage extends Message {
  readonly key: string;
}

export interface Unsent {
  readonly id: string;
  readonly text: string;
  /** Why the server does not take it, in words. */
  readonly refused: string | null;
}

export interface Thread {
  /** What the server has stored, in the order of the thread. */
  readonly messages: readonly ShownMessage[];
  /** Typed here, not yet acknowledged by the server. */
  readonly unsent: readonly Unsent[];
  /** Live captions and typing. */
  readonly live: Readonly<Partial<Record<Role, LiveTurn>>>;
  /** Whether a call of this conversation goes on somewhere. */
  readonly agentAttached: boolean;
  /** What the server complains about. */
  readonly error: string | null;
  /** Whether the history has been read once. */
  readonly loaded: boolean;
  /** Whether nothing of the thread is missing: the history has been read since the connection opened. */
  readonly complete: boolean;
  /** Up to this place nothing is missing; after a reconnect history is read from here. */
  readonly completeTo: number;
  /** Frames that could not be read. */
  readonly malformed: number;
  /** How many messages without a name of their own have come. */
  readonly nameless: number;
}

export type ThreadAction =
  | { readonly type: "frame"; readonly frame: ServerFrame }
  | { readonly type: "history"; readonly messages: readonly Message[] }
  | { readonly type: "historyRead" }
  | { readonly type: "typed"; readonly id: string; readonly text: string }
  | { readonly type: "sentAgain"; readonly id: string }
  | { readonly type: "discarded"; readonly id: string }
  | { readonly type: "disconnected" }
  | { readonly type: "quiet"; readonly role: Role }
  | { readonly type: "dismissError" };

export const emptyThread: Thread = {
  messages: [],
  unsent: [],
  live: {},
  agentAttached: false,
  error: null,
  loaded: false,
  complete: false,
  completeTo: 0,
  malformed: 0,
  nameless: 0,
};

export function threadReducer(thread: Thread, action: ThreadAction): Thread {
  switch (action.type) {
    case "frame":
      return onFrame(thread, action.frame);
    case "history":
      return reach(withMessages(thread, action.messages), action.messages);
    case "historyRead":
      return { ...reach(thread, thread.messages), loaded: true, complete: true };
    case "typed":
      return { ...thread, unsent: [...thread.unsent, { id: action.id, text: action.text, refused: null }] };
    case "sentAgain":
      return withRefusal(thread, action.id, null);
    case "discarded":
      return { ...thread, unsent: thread.unsent.filter((u) => u.id !== action.id) };
    case "disconnected":
      return { ...thread, live: {}, agentAttached: false, complete: false };
    case "quiet":
      return { ...thread, live: without(thread.live, action.role) };
    case "dismissError":
      return { ...thread, error: null };
  }
}

function onFrame(thread: Thread, frame: ServerFrame): Thread {
  switch (frame.kind) {
    case "message": {
      // A note comes beside what is being said, and ends no caption.
      const live = frame.message.kind === "speech" ? without(thread.live, frame.message.role) : thread.live;
      const shown = withMessages({ ...thread, live }, [frame.message]);
      return shown.complete ? reach(shown, [frame.message]) : shown;
    }
    case "typing":
      return {
        ...thread,
        live: frame.live ? { ...thread.live, [frame.role]: frame.live } : without(thread.live, frame.role),
      };
    case "presence":
      // A worker that is gone ends no caption of its own; who types does not need it.
      return { ...thread, agentAttached: frame.agent, live: frame.agent ? thread.live : typing(thread.live) };
    case "error": {
      const ours = thread.unsent.some((u) => u.id === frame.id);
      return ours ? withRefusal(thread, frame.id, frame.message) : { ...thread, error: frame.message };
    }
    case "malformed":
      return { ...thread, malformed: thread.malformed + 1 };
    case "ignored":
      return thread;
  }
}

function withMessages(thread: Thread, added: readonly Message[]): Thread {
  let { nameless, unsent } = thread;
  const byKey = new Map(thread.messages.map((m) => [m.key, m]));
  for (const message of added) {
    const key = keyOf(message) ?? `came:${nameless++}`;
    byKey.set(key, { ...message, key });
    unsent = withoutAcknowledged(unsent, message);
  }
  // Those without a place stay at the end, in the order they came.
  const messages = [...byKey.values()].sort((a, b) => (a.seq ?? Infinity) - (b.seq ?? Infinity) || 0);
  return { ...thread, messages, unsent, nameless };
}

function keyOf({ id, seq }: Message): string | null {
  if (id !== null) return `id:${id}`;
  return seq === null ? null : `seq:${seq}`;
}

/** A message that the thread has is acknowledged: by its id, or, where the server gives none, by its words. */
function withoutAcknowledged(unsent: readonly Unsent[], { id, role, text }: Message): readonly Unsent[] {
  const index = unsent.findIndex((u) => (id !== null ? u.id === id : role === "user" && u.text === text));
  return index < 0 ? unsent : unsent.toSpliced(index, 1);
}

const reach = (thread: Thread, messages: readonly Message[]): Thread => ({
  ...thread,
  completeTo: messages.reduce((last, m) => Math.max(last, m.seq ?? 0), thread.completeTo),
});

const withRefusal = (thread: Thread, id: string | null, refused: string | null): Thread => ({
  ...thread,
  unsent: thread.unsent.map((u) => (u.id === id ? { ...u, refused } : u)),
});

const typing = ({ user }: Thread["live"]): Thread["live"] => (user?.channel === "chat" ? { user } : {});

function without(live: Thread["live"], role: Role): Thread["live"] {
  if (!live[role]) return live;
  const { [role]: _, ...others } = live;
  return others;
}
