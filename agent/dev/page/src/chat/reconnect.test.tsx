// The real react-use-websocket against a WebSocket that a test opens and breaks: what its options really do.

import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test, vi } from "vitest";
import { useChatThread } from "./useChatThread";

class BreakableSocket extends EventTarget {
  static made: BreakableSocket[] = [];
  readyState = 0;
  onopen: ((event: Event) => void) | null = null;
  onclose: ((event: CloseEvent) => void) | null = null;
  onmessage: ((event: MessageEvent) => void) | null = null;
  onerror: ((event: Event) => void) | null = null;

  constructor(readonly url: string) {
    super();
    BreakableSocket.made.push(this);
  }

  close(): void {
    this.readyState = 3;
  }

  breaks(code = 1006): void {
    this.readyState = 3;
    act(() => this.onclose?.(new CloseEvent("close", { code })));
  }
}

const latest = () => {
  const socket = BreakableSocket.made.at(-1);
  if (!socket) throw new Error("No socket was opened.");
  return socket;
};
const settings = { chatApiUrl: "ws://h/", appType: "social" };
const visitor = { token: null, name: null, visitorId: "v1" };
const render = () => renderHook(() => useChatThread(settings, "c1", visitor));
const pass = (ms: number) => act(async () => vi.advanceTimersByTime(ms));

beforeEach(() => {
  vi.useFakeTimers();
  BreakableSocket.made = [];
  vi.stubGlobal("WebSocket", BreakableSocket);
  vi.stubGlobal("fetch", async () => Response.json({ results: [] }));
  vi.spyOn(console, "warn").mockImplementation(() => undefined); // the library tells when the attempts are used up
});

test("waits 1, 2, 4, 8, 16, 30, 30 … s, gives up after 10 attempts, and tries again when told", async () => {
  const { result } = render();
  await pass(0);
  const waits: number[] = [];
  while (result.current.state !== "disconnected") {
    const before = BreakableSocket.made.length;
    latest().breaks();
    let waited = 0;
    while (BreakableSocket.made.length === before && waited < 60_000) {
      await pass(500);
      waited += 500;
    }
    if (BreakableSocket.made.length > before) waits.push(waited);
  }
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000, 30_000, 30_000]);

  const used = BreakableSocket.made.length;
  act(() => result.current.tryAgain());
  await pass(0);
  expect(BreakableSocket.made).toHaveLength(used + 1);
  latest().breaks();
  await pass(1000);
  expect(BreakableSocket.made).toHaveLength(used + 2);
});

test("a close with 1000 is the end", async () => {
  const { result } = render();
  await pass(0);
  latest().breaks(1000);
  await pass(60_000);
  expect(BreakableSocket.made).toHaveLength(1);
  expect(result.current.state).toBe("disconnected");
});

test("a page that is gone does not come back", async () => {
  const { unmount } = render();
  await pass(0);
  const only = latest();
  unmount();
  only.breaks();
  await pass(60_000);
  expect(BreakableSocket.made).toHaveLength(1);
});

test("a handshake that is refused for its credentials is tried once", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 403 }));
  const { result } = render();
  await pass(0);
  latest().breaks();
  await pass(0); // the page asks why
  await pass(60_000);
  expect(BreakableSocket.made).toHaveLength(1);
  expect(result.current).toMatchObject({ state: "disconnected", refused: { status: 403 } });
});

test("a page that is gone leaves no timer and no open socket behind", async () => {
  const { unmount } = render();
  await pass(0);
  latest().breaks();
  await pass(1000);
  unmount();
  expect(vi.getTimerCount()).toBe(0);
  expect(BreakableSocket.made.map((socket) => socket.readyState)).toEqual([3, 3]);
});
