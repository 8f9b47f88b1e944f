// The connection, as the thread uses it.

import { act, renderHook } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { resetSocket, socket } from "../test/mockSocket";
import { reconnectInterval, type Identity } from "./connection";
import { useChatThread } from "./useChatThread";

vi.mock("react-use-websocket", () => import("../test/mockSocket"));

const settings = { chatApiUrl: "ws://h/ws/v1/", appType: "social" };
const visitor: Identity = { token: null, name: null, visitorId: "v 1" };
const ana: Identity = { token: "a+b", name: "ana", visitorId: "v 1" };
const history = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();

const render = (identity = visitor) => renderHook(() => useChatThread(settings, "c1", identity));

beforeEach(() => {
  resetSocket();
  history.mockReset().mockImplementation(async () => Response.json({ results: [] }));
  vi.stubGlobal("fetch", history);
});

describe("who connects where", () => {
  test("a visitor", () => {
    render();
    expect(socket.url).toBe("ws://h/ws/v1/conversation/c1/?session_user=v+1&app_type=social");
  });

  test("a signed-in user, the token encoded", () => {
    render(ana);
    expect(socket.url).toBe("ws://h/ws/v1/conversation/c1/?token=a%2Bb&app_type=social");
  });
});

describe("reconnecting", () => {
  test("follows the guide: 10 attempts, with back-off", () => {
    render();
    expect(socket.options.reconnectAttempts).toBe(10);
    expect(socket.options.reconnectInterval).toBe(reconnectInterval);
  });

  test("after a lost connection it connects again", async () => {
    const { result } = render();
    await socket.open();
    expect(socket.close(1006)).toBe(true);
    expect(result.current).toMatchObject({ state: "reconnecting", failures: 0 });
  });

  test("after a deliberate close (1000) it does not, and says so", async () => {
    const { result } = render();
    await socket.open();
    expect(socket.close(1000)).toBe(false);
    expect(result.current.state).toBe("disconnected");
  });

  test("after the page is gone it does not (didUnmount)", async () => {
    const { unmount } = render();
    await socket.open();
    unmount();
    expect(socket.close(1006)).toBe(false);
  });

  test("attempts used up: it gives up, and a new try starts anew at the same address", () => {
    const { result } = render();
    const first = socket.url;
    socket.close(1006);
    socket.stop();
    expect(result.current.state).toBe("disconnected");
    act(() => result.current.tryAgain());
    expect(result.current.state).toBe("connecting");
    expect(socket.told).toEqual([true, false, true]);
    expect(socket.url).toBe(first);
  });

  test("live captions end with the connection", async () => {
    const { result } = render();
    await socket.open();
    socket.receive({ event: "typing", payload: { role: "assistant", active: true } });
    expect(result.current.thread.live).toMatchObject({ assistant: { text: "" } });
    socket.close(1006);
    expect(result.current.thread.live).toEqual({});
  });
});

describe("a handshake that is refused", () => {
  const fails = async () => {
    const again = socket.close(1006);
    await act(async () => undefined);
    return again;
  };

  test.each([
    [401, "You are not signed in any more. Sign in again."],
    [403, "This conversation belongs to somebody else. Start a new one."],
  ])("for its credentials (%i) is told in words and is not tried again", async (status, words) => {
    history.mockImplementation(async () => new Response("", { status }));
    const { result } = render(ana);
    await fails();
    expect(history.mock.calls[0]?.[0]).toContain("/conversation/c1/messages/?token=a%2Bb");
    expect(result.current).toMatchObject({ state: "disconnected", refused: { status, message: words } });
    expect(socket.told).toEqual([true, false]);
  });

  test("for another reason is tried again", async () => {
    history.mockImplementation(async () => new Response("", { status: 503 }));
    const { result } = render();
    expect(await fails()).toBe(true);
    expect(result.current).toMatchObject({ state: "connecting", refused: null, failures: 1 });
    expect(socket.told).toEqual([true]);
  });

  test("failures in a row are counted, until it is open", async () => {
    const { result } = render();
    await socket.open();
    await fails();
    expect(result.current.failures).toBe(0);
    await fails();
    await fails();
    expect(result.current).toMatchObject({ state: "reconnecting", failures: 2 });
    await socket.open();
    expect(result.current).toMatchObject({ state: "connected", failures: 0 });
  });

  test("the question why ends with the page", async () => {
    history.mockImplementation(
      (_, { signal }) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    );
    const { unmount } = render();
    await fails();
    unmount();
    await act(async () => undefined);
    expect(history.mock.calls[0]?.[1].signal?.aborted).toBe(true);
  });
});
