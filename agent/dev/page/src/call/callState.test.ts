// @vitest-environment node
import { expect, test } from "vitest";
import { callReducer, noCall, type CallEvent } from "./callState";

const after = (...events: CallEvent[]) => events.reduce(callReducer, noCall);
const problem = (about: "call" | "agent" | "microphone"): CallEvent => ({
  type: "problem",
  problem: { about, words: about },
});

test("a new call forgets everything of the one before", () => {
  const before = after({ type: "connected", at: 1 }, { type: "microphone", muted: true }, problem("call"));
  expect(callReducer(before, { type: "starting" })).toEqual({ ...noCall, phase: "starting" });
});

test("its clock starts once, however often it reconnects", () => {
  const call = after({ type: "connected", at: 1 }, { type: "reconnecting" }, { type: "connected", at: 9 });
  expect(call).toMatchObject({ phase: "connected", since: 1 });
});

test("a problem goes away with its cause, and only then", () => {
  expect(after(problem("agent"), { type: "agent", state: "listening" }).problem).toBeNull();
  expect(after(problem("agent"), { type: "agent", state: "" }).problem).not.toBeNull();
  expect(after(problem("microphone"), { type: "agent", state: "listening" }).problem).not.toBeNull();
  expect(after(problem("microphone"), { type: "microphone", muted: true }).problem).not.toBeNull();
  expect(after(problem("microphone"), { type: "microphone", muted: false }).problem).toBeNull();
  expect(after(problem("call"), { type: "dismissed" }).problem).toBeNull();
});

test("the end takes everything with it but the words", () => {
  const running = after({ type: "connected", at: 1 }, { type: "agent", state: "speaking" }, problem("agent"));
  expect(callReducer(running, { type: "ended", words: null })).toEqual(noCall);
  expect(callReducer(running, { type: "ended", words: "Cut off." })).toEqual({
    ...noCall,
    problem: { about: "call", words: "Cut off." },
  });
});
