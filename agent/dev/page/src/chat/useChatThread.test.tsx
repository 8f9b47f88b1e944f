import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { resetSocket, socket } from "../test/mockSocket";
import type { Identity } from "./connection";
import { TYPING_EXPIRES_MS, useChatThread } from "./useChatThread";

vi.mock("react-use-websocket", () => import("../test/mockSocket"));

const settings = { chatApiUrl: "ws://h/ws/v1/", appType: "social" };
const visitor: Identity = { token: null, name: null, visitorId: "v 1" };
const ana: Identity = { token: "a+b", name: "ana", visitorId: "v 1" };
const history = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

const results = (...messages: object[]) => Response.json({ results: messages });
const stored = (id: string, seq: number, text = id, role = "user") => ({ id, seq, role, text });
const render = (identity = visitor) => renderHook(() => useChatThread(settings, "c1", identity));
const askedAfter = () => history.mock.calls.map(([url]) => new URL(url).searchParams.get("after"));

beforeEach(() => {
  resetSocket();
  history.mockReset().mockImplementation(async () => results());
  vi.stubGlobal("fetch", history);
});

describe("history", () => {
  test("is read when the chat opens, with the same credentials", async () => {
    history.mockResolvedValueOnce(results(stored("a", 1), stored("b", 2)));
    const { result } = render(ana);
    expect(history).not.toHaveBeenCalled();
    await socket.open();
    expect(history.mock.calls[0]?.[0]).toBe(
      "http://h/ws/v1/conversation/c1/messages/?token=a%2Bb&app_type=social&after=0&limit=200",
    );
    expect(result.current.thread.messages.map((m) => m.id)).toEqual(["a", "b"]);
  });

  test("after a reconnect only what was missed is read", async () => {
    history.mockResolvedValueOnce(results(stored("a", 1))).mockResolvedValueOnce(results(stored("c", 3)));
    const { result } = render();
    await socket.open();
    socket.receive({ event: "message", payload: stored("b", 2) });
    socket.close(1006);
    await socket.open();
    expect(askedAfter()).toEqual(["0", "2"]);
    expect(result.current.thread.messages.map((m) => m.id)).toEqual(["a", "b", "c"]);
  });

  test("after a gap in which live messages came, too: nothing between is missed", async () => {
    history.mockResolvedValueOnce(results(stored("a", 1)));
    render();
    await socket.open();
    socket.close(1006);
    let answer: (response: Response) => void = () => undefined;
    history.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    await socket.open();
    socket.receive({ event: "message", payload: stored("z", 9) });
    socket.close(1006);
    answer(results());
    await socket.open();
    expect(askedAfter()).toEqual(["0", "1", "1"]);
  });

  test.each([
    [
      "out of reach",
      async () => Promise.reject(new TypeError("Failed to fetch")),
      "The chat server cannot be reached.",
    ],
    ["broken", async () => new Response("", { status: 503 }), "The server answered 503."],
  ])("%s: told in words, and read again with back-off", async (_, answer, words) => {
    vi.useFakeTimers();
    history.mockImplementationOnce(answer).mockImplementationOnce(answer);
    history.mockResolvedValueOnce(results(stored("a", 1)));
    const { result } = render();
    await socket.open();
    expect(result.current.historyError).toContain(words);
    await act(async () => vi.advanceTimersByTimeAsync(1000));
    expect(result.current.historyError).toContain(words);
    await act(async () => vi.advanceTimersByTimeAsync(2000));
    expect(result.current.historyError).toBeNull();
    expect(result.current.thread.messages).toHaveLength(1);
  });

  test("refused: told in words, and not asked for again", async () => {
    vi.useFakeTimers();
    history.mockImplementation(async () => new Response("", { status: 403 }));
    const { result } = render();
    await socket.open();
    expect(result.current.historyError).toBe("This conversation belongs to somebody else. Start a new one.");
    expect(vi.getTimerCount()).toBe(0);
  });

  test("is called off when the page goes, without a word", async () => {
    history.mockImplementation(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(new Error("aborted")))),
    );
    const { result, unmount } = render();
    await socket.open();
    unmount();
    await act(async () => undefined);
    expect(history.mock.calls[0]?.[1].signal?.aborted).toBe(true);
    expect(result.current.historyError).toBeNull();
  });
});

describe("frames", () => {
  test("every frame counts, also two in one render", async () => {
    const { result } = render();
    await socket.open();
    act(() => {
      for (const seq of [1, 2])
        socket.options.onMessage?.(
          new MessageEvent("message", { data: JSON.stringify({ event: "message", payload: stored(`m${seq}`, seq) }) }),
        );
    });
    expect(result.current.thread.messages).toHaveLength(2);
  });

  test("a malformed frame never throws, is counted, and the next one is read", async () => {
    const { result } = render();
    await socket.open();
    for (const data of ["{not json", "null", '{"event":"message"}', new Blob(["x"])])
      expect(() => socket.receiveRaw(data)).not.toThrow();
    socket.receive({ type: "message", message: "Hi" });
    expect(result.current.thread.malformed).toBe(4);
    expect(result.current.thread.messages.map((m) => m.text)).toEqual(["Hi"]);
  });
});

describe("a typed message", () => {
  const idOf = (frame: unknown) => (frame as { data: { id: string } }).data.id;

  test("is sent at once, not in a batch, and waits for its echo", async () => {
    const { result } = render();
    await socket.open();
    act(() => result.current.sendMessage("Hello"));
    expect(socket.sent).toEqual([
      { event: "action", data: { action: "next", execution_type: "chat", message: "Hello", id: expect.any(String) } },
    ]);
    expect(result.current.thread.unsent).toHaveLength(1);
    socket.receive({ event: "message", payload: stored(idOf(socket.sent[0]), 1, "Hello") });
    expect(result.current.thread.unsent).toEqual([]);
  });

  test("not acknowledged before the connection broke: sent again with the same id", async () => {
    const { result } = render();
    await socket.open();
    act(() => result.current.sendMessage("Hello"));
    socket.close(1006);
    await socket.open();
    expect(socket.sent).toHaveLength(2);
    expect(socket.sent[1]).toEqual(socket.sent[0]);
  });

  test("written while disconnected: kept by the page and sent when the chat is back, once", async () => {
    const { result } = render();
    act(() => result.current.sendMessage("Hello"));
    expect(socket.sent).toEqual([]);
    await socket.open();
    expect(socket.sent).toHaveLength(1);
    expect(socket.kept).toEqual([false]);
  });

  test("does not overtake those that wait, also while the history is read", async () => {
    let answer: (response: Response) => void = () => undefined;
    history.mockReturnValueOnce(new Promise((resolve) => (answer = resolve)));
    const { result } = render();
    act(() => result.current.sendMessage("first"));
    await socket.open();
    act(() => result.current.sendMessage("second"));
    expect(socket.sent).toEqual([]);
    await act(async () => answer(results()));
    expect(socket.sent).toMatchObject([{ data: { message: "first" } }, { data: { message: "second" } }]);
  });

  test("does not wait for a history that cannot be read", async () => {
    history.mockImplementation(async () => new Response("", { status: 503 }));
    const { result } = render();
    act(() => result.current.sendMessage("Hello"));
    await socket.open();
    expect(socket.sent).toHaveLength(1);
    act(() => result.current.sendMessage("again"));
    expect(socket.sent).toHaveLength(2);
  });

  test("survives a reload of the page before it was sent", async () => {
    const before = render();
    act(() => before.result.current.sendMessage("Hello"));
    before.unmount();
    resetSocket();
    const { result } = render();
    expect(result.current.thread.unsent).toMatchObject([{ text: "Hello" }]);
    await socket.open();
    expect(socket.sent).toMatchObject([{ data: { message: "Hello", id: result.current.thread.unsent[0]?.id } }]);
  });

  test("stored before the connection broke: not sent again", async () => {
    const { result } = render();
    await socket.open();
    act(() => result.current.sendMessage("Hello"));
    const id = idOf(socket.sent[0]);
    socket.close(1006);
    history.mockResolvedValueOnce(results(stored(id, 1, "Hello")));
    await socket.open();
    expect(socket.sent).toHaveLength(1);
    expect(result.current.thread).toMatchObject({ unsent: [], messages: [{ id }] });
  });

  test("refused: not sent again", async () => {
    const { result } = render();
    await socket.open();
    act(() => result.current.sendMessage("Hello"));
    socket.receive({ event: "error", payload: { code: "x", message: "Too long.", id: idOf(socket.sent[0]) } });
    socket.close(1006);
    await socket.open();
    expect(socket.sent).toHaveLength(1);
    expect(result.current.thread.unsent[0]?.refused).toBe("Too long.");
  });

  test("refused: sent again, or discarded, when told", async () => {
    const { result } = render();
    await socket.open();
    act(() => result.current.sendMessage("Hello"));
    const id = idOf(socket.sent[0]);
    socket.receive({ event: "error", payload: { code: "x", message: "Too long.", id } });
    act(() => result.current.sendAgain(id));
    expect(socket.sent[1]).toEqual(socket.sent[0]);
    expect(result.current.thread.unsent[0]?.refused).toBeNull();
    act(() => result.current.discard(id));
    expect(result.current.thread.unsent).toEqual([]);
  });
});

describe("typing", () => {
  const notice = { event: "action", data: { action: "partial", role: "user", channel: "chat", text: "…" } };

  test("is told in a batch", async () => {
    vi.useFakeTimers();
    const { result } = render();
    await socket.open();
    result.current.notifyTyping("a");
    vi.advanceTimersByTime(100);
    expect(socket.sent).toEqual([{ batch: [notice] }]);
  });

  test("is not told later when the chat is not open", () => {
    vi.useFakeTimers();
    const { result } = render();
    result.current.notifyTyping("a");
    vi.advanceTimersByTime(100);
    expect(socket.kept).toEqual([false]);
  });

  test("a message overtakes the notices that wait, and they never follow it", async () => {
    vi.useFakeTimers();
    const { result } = render();
    await socket.open();
    result.current.notifyTyping("Hello");
    act(() => result.current.sendMessage("Hello"));
    vi.advanceTimersByTime(60_000);
    expect(socket.sent).toMatchObject([{ data: { message: "Hello" } }]);
  });

  test("of somebody who has left ends by itself; a caption of speech does not", async () => {
    vi.useFakeTimers();
    const { result } = render();
    await socket.open();
    socket.receive({ event: "typing", payload: { role: "user", active: true, text: "…", channel: "chat" } });
    act(() => void vi.advanceTimersByTime(TYPING_EXPIRES_MS));
    expect(result.current.thread.live).toEqual({});
    socket.receive({ event: "typing", payload: { role: "user", active: true, text: "Hel", channel: "voice" } });
    act(() => void vi.advanceTimersByTime(TYPING_EXPIRES_MS));
    expect(result.current.thread.live).toMatchObject({ user: { text: "Hel" } });
  });

  test("leaving the page leaves no timer behind", async () => {
    vi.useFakeTimers();
    const { result, unmount } = render();
    await socket.open();
    result.current.notifyTyping("a");
    unmount();
    expect(vi.getTimerCount()).toBe(0);
    vi.advanceTimersByTime(1000);
    expect(socket.sent).toEqual([]);
  });
});
