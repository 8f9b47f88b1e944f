// @vitest-environment node
import { describe, expect, test } from "vitest";
import { parseFrame, parseMessage, typedMessageFrame, typingFrame } from "./frames";

const full = {
  id: "m1",
  seq: 3,
  role: "user",
  text: "Hello",
  channel: "voice",
  interrupted: true,
  reply_to: "m0",
  created_at: "2026-11-24T10:00:00Z",
};
const parsed = {
  id: "m1",
  seq: 3,
  role: "user",
  text: "Hello",
  channel: "voice",
  interrupted: true,
  replyTo: "m0",
  createdAt: "2026-11-24T10:00:00Z",
  kind: "speech",
};
const parse = (frame: unknown) => parseFrame(JSON.stringify(frame));

describe("malformed frames", () => {
  test.each([
    ["nothing", ""],
    ["no JSON", "{not json"],
    ["cut short", '{"event":"message","payload":{"te'],
    ["HTML", "<html></html>"],
    ["null", "null"],
    ["a number", "42"],
    ["a text", '"hello"'],
    ["a list", "[]"],
    ["a message without payload", '{"event":"message"}'],
    ["a message that is null", '{"event":"message","payload":null}'],
    ["a message that is a number", '{"event":"message","payload":7}'],
    ["a message that is a list", '{"event":"message","payload":["a"]}'],
    ["a message without text", '{"event":"message","payload":{"id":"1"}}'],
    ["a text that is no text", '{"type":"message","message":{"text":{"a":1}}}'],
    ["typing without payload", '{"event":"typing"}'],
    ["typing that is a text", '{"event":"typing","payload":"x"}'],
    ["undefined", undefined],
    ["binary data", new ArrayBuffer(4)],
    [
      "something that cannot become text",
      {
        toString: () => {
          throw new Error("no text");
        },
      },
    ],
  ])("%s", (_, raw) => {
    expect(parseFrame(raw)).toEqual({ kind: "malformed" });
  });
});

describe("messages", () => {
  test.each([
    ["event and payload", { event: "message", payload: full }],
    ["type and message", { type: "message", message: full }],
    ["both shapes in one frame", { event: "message", type: "message", payload: full, message: full }],
    ["fields that nobody knows", { event: "message", payload: { ...full, colour: "red" }, more: 1 }],
  ])("%s", (_, frame) => {
    expect(parse(frame)).toEqual({ kind: "message", message: parsed });
  });

  test.each([
    ["event and payload", { event: "message", payload: "Hi" }],
    ["type and message", { type: "message", message: "Hi" }],
  ])("a bare string is said by the assistant: %s", (_, frame) => {
    expect(parse(frame)).toMatchObject({
      kind: "message",
      message: { role: "assistant", text: "Hi", channel: "chat", seq: null },
    });
  });

  test("only the text is needed", () => {
    expect(parseMessage({ text: "Hi" })).toMatchObject({
      role: "assistant",
      text: "Hi",
      channel: "chat",
      interrupted: false,
      replyTo: null,
      kind: "speech",
      createdAt: null,
    });
  });

  test.each([
    ["tool", "tool"],
    ["note", "note"],
    ["speech", "speech"],
    ["song", "speech"],
  ])("of kind %s is %s", (kind, read) => {
    expect(parseMessage({ text: "Hi", kind })?.kind).toBe(read);
  });

  test("fields of the wrong type are taken as missing", () => {
    const odd = {
      text: "Hi",
      id: 5,
      seq: "7",
      role: "admin",
      channel: "pigeon",
      interrupted: "yes",
      reply_to: 1,
      created_at: 2,
    };
    expect(parseMessage(odd)).toMatchObject({
      seq: null,
      role: "assistant",
      channel: "chat",
      interrupted: false,
      replyTo: null,
      kind: "speech",
      createdAt: null,
    });
  });

  test.each([[undefined], [null], [""], [5]])("%j is no id", (id) => {
    expect(parseMessage({ text: "Hi", id })?.id).toBeNull();
  });
});

describe("other frames", () => {
  test("a live caption carries its words", () => {
    const frame = { event: "typing", payload: { role: "user", active: true, text: "Hel", channel: "voice" } };
    expect(parse(frame)).toEqual({ kind: "typing", role: "user", live: { text: "Hel", channel: "voice" } });
  });

  test("a caption that is over", () => {
    expect(parse({ event: "typing", payload: { role: "assistant", active: false } })).toEqual({
      kind: "typing",
      role: "assistant",
      live: null,
    });
  });

  test.each([[{ role: "assistant" }], [{ role: "assistant", active: true, text: "…" }]])(
    "typing without words: %j",
    (payload) => {
      expect(parse({ event: "typing", payload })).toMatchObject({ live: { text: "", channel: "chat" } });
    },
  );

  test.each([
    [{ agent: true }, true],
    [{ agent: "yes" }, false],
    [null, false],
  ])("presence %j", (payload, agent) => {
    expect(parse({ event: "presence", payload })).toEqual({ kind: "presence", agent });
  });

  test("an error names the message it is about", () => {
    const payload = { code: "too_long", message: "Too long.", id: "m1" };
    expect(parse({ event: "error", payload })).toEqual({ kind: "error", ...payload });
  });

  test("an error without details still has words", () => {
    expect(parse({ event: "error" })).toEqual({
      kind: "error",
      code: "unknown",
      message: "The server reports an error.",
      id: null,
    });
  });

  test.each([[{ event: "pong" }], [{ event: "block", data: {} }], [{ type: "later" }], [{}], [{ event: 5 }]])(
    "unknown event %j is ignored",
    (frame) => {
      expect(parse(frame)).toEqual({ kind: "ignored" });
    },
  );
});

test("a typed message is the guide's frame with an id", () => {
  expect(typedMessageFrame("m1", "Hello")).toEqual({
    event: "action",
    data: { action: "next", execution_type: "chat", message: "Hello", id: "m1" },
  });
});

test("a typing notice is a partial turn, and empty when it ends", () => {
  expect(typingFrame(true).data).toEqual({ action: "partial", role: "user", channel: "chat", text: "…" });
  expect(typingFrame(false).data.text).toBe("");
});
