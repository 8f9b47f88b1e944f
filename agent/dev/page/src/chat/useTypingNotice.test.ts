import { renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { typingFrame } from "./frames";
import { TYPING_DEBOUNCE_MS, TYPING_OVER_MS, TYPING_REPEAT_MS, useTypingNotice } from "./useTypingNotice";

const send = vi.fn<(frame: unknown, keep: boolean) => void>();
const typing = { batch: [typingFrame(true)] };
const over = { batch: [typingFrame(false)] };
const sent = () => send.mock.calls.map(([frame]) => frame);
const render = () => renderHook(() => useTypingNotice(send));

beforeEach(() => {
  vi.useFakeTimers();
  send.mockReset();
});

test("many keys make one notice until there is a pause of 300 ms", () => {
  const { result } = render();
  for (let key = 0; key < 9; key += 1) {
    result.current.notifyTyping("abc");
    vi.advanceTimersByTime(TYPING_DEBOUNCE_MS - 1);
  }
  expect(sent()).toEqual([typing]);
  vi.advanceTimersByTime(1);
  result.current.notifyTyping("abcd");
  vi.advanceTimersByTime(100);
  expect(sent()).toEqual([typing, typing]);
});

test("who types on and on is announced every 3 s", () => {
  const { result } = render();
  for (let ms = 0; ms < 3 * TYPING_REPEAT_MS; ms += 100) {
    result.current.notifyTyping("abc");
    vi.advanceTimersByTime(100);
  }
  expect(sent()).toEqual([typing, typing, typing]);
});

test("who stops is not typing any more", () => {
  const { result } = render();
  result.current.notifyTyping("abc");
  vi.advanceTimersByTime(TYPING_OVER_MS + 100);
  expect(sent()).toEqual([typing, over]);
  vi.advanceTimersByTime(60_000);
  expect(sent()).toHaveLength(2);
});

test("nor is who empties the field, at once", () => {
  const { result } = render();
  result.current.notifyTyping("a");
  vi.advanceTimersByTime(100);
  result.current.notifyTyping("");
  vi.advanceTimersByTime(100);
  expect(sent()).toEqual([typing, over]);
});

test("an empty field that nobody has typed in is no news", () => {
  const { result } = render();
  result.current.notifyTyping("  ");
  vi.advanceTimersByTime(60_000);
  expect(send).not.toHaveBeenCalled();
});

test("after a message has left no notice follows it", () => {
  const { result } = render();
  result.current.notifyTyping("abc");
  result.current.messageLeaves();
  vi.advanceTimersByTime(60_000);
  expect(send).not.toHaveBeenCalled();
  result.current.notifyTyping("next");
  vi.advanceTimersByTime(100);
  expect(sent()).toEqual([typing]);
});

test("leaving the page leaves no timer behind", () => {
  const { result, unmount } = render();
  result.current.notifyTyping("abc");
  unmount();
  expect(vi.getTimerCount()).toBe(0);
});
