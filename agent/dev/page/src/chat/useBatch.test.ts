import { renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useBatch } from "./useBatch";

beforeEach(() => {
  vi.useFakeTimers();
});

test("frames that come often leave together, every 100 ms, in order", () => {
  const send = vi.fn();
  const { result } = renderHook(() => useBatch(send));
  result.current.queueMessage("a");
  result.current.queueMessage("b");
  vi.advanceTimersByTime(99);
  expect(send).not.toHaveBeenCalled();
  vi.advanceTimersByTime(1);
  result.current.queueMessage("c");
  vi.advanceTimersByTime(100);
  expect(send.mock.calls).toEqual([
    [{ batch: ["a", "b"] }, false],
    [{ batch: ["c"] }, false],
  ]);
});

test("nothing to send sends nothing, and stops the clock", () => {
  const send = vi.fn();
  const { result } = renderHook(() => useBatch(send));
  expect(vi.getTimerCount()).toBe(0);
  result.current.queueMessage("a");
  vi.advanceTimersByTime(1000);
  expect(send).toHaveBeenCalledTimes(1);
  expect(vi.getTimerCount()).toBe(0);
});

test("works again after a pause", () => {
  const send = vi.fn();
  const { result } = renderHook(() => useBatch(send));
  result.current.queueMessage("a");
  vi.advanceTimersByTime(1000);
  result.current.queueMessage("b");
  vi.advanceTimersByTime(100);
  expect(send).toHaveBeenLastCalledWith({ batch: ["b"] }, false);
});

test("a new send function is used at once, by the same queue", () => {
  const [before, now] = [vi.fn(), vi.fn()];
  const { result, rerender } = renderHook(({ send }) => useBatch(send), { initialProps: { send: before } });
  const queue = result.current;
  queue.queueMessage("a");
  rerender({ send: now });
  expect(result.current).toBe(queue);
  vi.advanceTimersByTime(100);
  expect(before).not.toHaveBeenCalled();
  expect(now).toHaveBeenCalledTimes(1);
});

test("what has not left yet can be forgotten", () => {
  const send = vi.fn();
  const { result } = renderHook(() => useBatch(send));
  result.current.queueMessage("a");
  result.current.clearQueue();
  vi.advanceTimersByTime(1000);
  expect(send).not.toHaveBeenCalled();
});

test("leaving the page clears the interval", () => {
  const send = vi.fn();
  const { result, unmount } = renderHook(() => useBatch(send));
  result.current.queueMessage("a");
  unmount();
  expect(vi.getTimerCount()).toBe(0);
  vi.advanceTimersByTime(1000);
  expect(send).not.toHaveBeenCalled();
});
