// @vitest-environment node
import { describe, expect, test } from "vitest";
import type { Message, ServerFrame } from "./frames";
import { emptyThread, threadReducer, type Thread, type ThreadAction } from "./thread";

const message = (id: string | null, seq: number | null, more: Partial<Message> = {}): Message => ({
  id,
  seq,
  role: "user",
  text: id ?? "",
  channel: "chat",
  interrupted: false,
  replyTo: null,
  kind: "speech",
  createdAt: null,
  ...more,
});
const frame = (f: ServerFrame): ThreadAction => ({ type: "frame", frame: f });
const shown = (m: Message): ThreadAction => frame({ kind: "message", message: m });
const history = (...messages: Message[]): ThreadAction => ({ type: "history", messages });
const historyRead: ThreadAction = { type: "historyRead" };
const disconnected: ThreadAction = { type: "disconnected" };
const after = (...actions: ThreadAction[]): Thread => actions.reduce(threadReducer, emptyThread);
const ids = (thread: Thread) => thread.messages.map((m) => m.id);

describe("messages", () => {
  test("one id is shown once, as it was last told", () => {
    const cut = message("a", 1, { interrupted: true, text: "a, cut" });
    expect(after(shown(message("a", 1)), shown(cut)).messages).toEqual([{ ...cut, key: "id:a" }]);
  });

  test("they stand in the order of the thread, however they arrive", () => {
    const thread = after(shown(message("c", 3)), shown(message("a", 1)), shown(message("b", 2)));
    expect(ids(thread)).toEqual(["a", "b", "c"]);
  });

  test("those without a place stay at the end in the order they came", () => {
    const thread = after(shown(message("x", null)), shown(message("y", null)), shown(message("a", 1)));
    expect(ids(thread)).toEqual(["a", "x", "y"]);
  });

  test("those without an id are told apart: two with the same words are two", () => {
    const yes = message(null, null, { text: "Yes.", role: "assistant" });
    const thread = after(shown(yes), shown(yes));
    expect(thread.messages.map((m) => m.text)).toEqual(["Yes.", "Yes."]);
    expect(new Set(thread.messages.map((m) => m.key)).size).toBe(2);
  });

  test("those without an id but with a place are known by their place", () => {
    expect(after(shown(message(null, 4)), history(message(null, 4))).messages).toHaveLength(1);
  });

  test("history is merged with what was shown live", () => {
    const thread = after(shown(message("c", 3)), history(message("a", 1), message("b", 2), message("c", 3)));
    expect(ids(thread)).toEqual(["a", "b", "c"]);
  });
});

describe("up to where nothing is missing", () => {
  test("in the beginning: nothing is known", () => {
    expect(emptyThread).toMatchObject({ completeTo: 0, complete: false, loaded: false });
  });

  test("a message that comes before the history was read closes no gap", () => {
    const thread = after(shown(message("z", 9)), history(message("a", 1), message("b", 2)));
    expect(thread).toMatchObject({ completeTo: 2, complete: false });
  });

  test("once the history has been read it includes what came live", () => {
    const thread = after(shown(message("c", 3)), history(message("a", 1), message("b", 2)), historyRead);
    expect(thread).toMatchObject({ completeTo: 3, complete: true, loaded: true });
    expect(threadReducer(thread, shown(message("d", 4))).completeTo).toBe(4);
  });

  test("after a lost connection it stays where it was, until history has been read again", () => {
    const thread = after(history(message("a", 1)), historyRead, disconnected, shown(message("z", 9)));
    expect(thread).toMatchObject({ completeTo: 1, complete: false, loaded: true });
  });
});

describe("typed here", () => {
  const typed: ThreadAction = { type: "typed", id: "m1", text: "Hello" };
  const refused = frame({ kind: "error", code: "x", message: "Too long.", id: "m1" });

  test("a message waits until the server shows it", () => {
    expect(after(typed).unsent).toEqual([{ id: "m1", text: "Hello", refused: null }]);
    const acknowledged = after(typed, shown(message("m1", 1)));
    expect(acknowledged.unsent).toEqual([]);
    expect(ids(acknowledged)).toEqual(["m1"]);
  });

  test("somebody else's message acknowledges nothing", () => {
    expect(after(typed, shown(message("m2", 1, { text: "Hello" }))).unsent).toHaveLength(1);
  });

  test("history acknowledges too", () => {
    expect(after(typed, history(message("m1", 1))).unsent).toEqual([]);
  });

  test("a server that gives no ids acknowledges by the words, one message at a time", () => {
    const echo = shown(message(null, null, { text: "Hello" }));
    const thread = after(typed, { ...typed, id: "m2" }, echo);
    expect(thread.unsent.map((u) => u.id)).toEqual(["m2"]);
    expect(after(typed, shown(message(null, null, { text: "Hello", role: "assistant" }))).unsent).toHaveLength(1);
  });

  test("a refusal is kept with its message", () => {
    const thread = after(typed, { ...typed, id: "m2" }, refused);
    expect(thread.unsent.map((u) => u.refused)).toEqual(["Too long.", null]);
    expect(thread.error).toBeNull();
  });

  test("what was refused can be sent again, or discarded", () => {
    expect(after(typed, refused, { type: "sentAgain", id: "m1" }).unsent).toMatchObject([{ refused: null }]);
    expect(after(typed, refused, { type: "discarded", id: "m1" }).unsent).toEqual([]);
  });
});

test("an error that is about no message of ours is told, until dismissed", () => {
  const thread = after(frame({ kind: "error", code: "model_unavailable", message: "No model.", id: "old" }));
  expect(thread.error).toBe("No model.");
  expect(threadReducer(thread, { type: "dismissError" }).error).toBeNull();
});

describe("live captions", () => {
  const saying = (role: "user" | "assistant", text: string) =>
    frame({ kind: "typing", role, live: { text, channel: "voice" } });
  const silent = (role: "user" | "assistant") => frame({ kind: "typing", role, live: null });
  const words = ({ live }: Thread) => ({ user: live.user?.text, assistant: live.assistant?.text });

  test("show the words so far of each speaker", () => {
    const thread = after(saying("user", "Hel"), saying("user", "Hello"), saying("assistant", ""));
    expect(words(thread)).toEqual({ user: "Hello", assistant: "" });
  });

  test("end when the speaker stops", () => {
    const thread = after(saying("user", "Hel"), saying("assistant", "Hi"), silent("user"));
    expect(words(thread)).toEqual({ user: undefined, assistant: "Hi" });
    expect(threadReducer(thread, { type: "quiet", role: "assistant" }).live).toEqual({});
  });

  test("give way to the final message of the same speaker only", () => {
    expect(words(after(saying("user", "Hel"), saying("assistant", ""), shown(message("a", 1))))).toEqual({
      user: undefined,
      assistant: "",
    });
  });

  test("go on beside a note, which is nobody's words", () => {
    const note = message("n", 1, { role: "assistant", kind: "tool" });
    expect(words(after(saying("assistant", "It is"), shown(note)))).toEqual({ user: undefined, assistant: "It is" });
  });

  test("do not outlive the worker, nor it the connection", () => {
    const present = after(frame({ kind: "presence", agent: true }), saying("user", "Hel"));
    expect(present).toMatchObject({ agentAttached: true, live: { user: { text: "Hel" } } });
    const gone = frame({ kind: "presence", agent: false });
    expect(threadReducer(present, gone)).toMatchObject({ agentAttached: false, live: {} });
    const types = frame({ kind: "typing", role: "user", live: { text: "", channel: "chat" } });
    expect(after(types, gone).live.user).toEqual({ text: "", channel: "chat" });
    expect(threadReducer(present, disconnected)).toMatchObject({ agentAttached: false, live: {} });
  });
});

test("malformed frames are counted and change nothing else", () => {
  const before = after(shown(message("a", 1)));
  const malformed = frame({ kind: "malformed" });
  expect([malformed, malformed].reduce(threadReducer, before)).toEqual({ ...before, malformed: 2 });
});

test("an ignored frame changes nothing", () => {
  expect(after(frame({ kind: "ignored" }))).toBe(emptyThread);
});

test("2,000 messages are read in one go, and the next one is added at once", () => {
  const many = Array.from({ length: 2000 }, (_, seq) => message(`m${seq}`, seq + 1));
  const thread = after(history(...many), historyRead, shown(message("last", 2001)));
  expect(thread.messages).toHaveLength(2001);
  expect(thread.messages.at(-1)?.id).toBe("last");
});
