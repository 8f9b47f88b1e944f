import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { describe, expect, test, vi } from "vitest";
import { AgentConnectionProvider, useAgentConnection } from "./useAgentConnection";

const render = (wsUrl?: string) =>
  renderHook(useAgentConnection, {
    wrapper: ({ children }: { children: ReactNode }) =>
      wsUrl === undefined ? (
        <AgentConnectionProvider>{children}</AgentConnectionProvider>
      ) : (
        <AgentConnectionProvider wsUrl={wsUrl}>{children}</AgentConnectionProvider>
      ),
  });

describe("useAgentConnection", () => {
  test("starts with the address it is given, no token, and out of the room", () => {
    expect(render("ws://livekit").result.current).toMatchObject({
      wsUrl: "ws://livekit",
      roomToken: "",
      shouldConnect: false,
    });
    expect(render().result.current.wsUrl).toBe("");
  });

  test("connect without a token is refused and changes nothing", async () => {
    const { result } = render("ws://livekit");
    await expect(result.current.connect("voice")).rejects.toThrow("updateRoomToken");
    expect(result.current.shouldConnect).toBe(false);
  });

  test("updateRoomToken alone does not connect", () => {
    const { result } = render("ws://livekit");
    act(() => result.current.updateRoomToken("t1"));
    expect(result.current).toMatchObject({ roomToken: "t1", wsUrl: "ws://livekit", shouldConnect: false });
  });

  test("a token may come with the address it is for", () => {
    const { result } = render("ws://livekit");
    act(() => result.current.updateRoomToken("t1", "ws://other"));
    expect(result.current.wsUrl).toBe("ws://other");
  });

  test("a token and connect in one go lead into the room", async () => {
    const { result } = render("ws://livekit");
    await act(async () => {
      result.current.updateRoomToken("t1");
      await result.current.connect("voice");
    });
    expect(result.current).toMatchObject({ roomToken: "t1", shouldConnect: true });
  });

  test("disconnect leaves the room and forgets the token, so that connect needs a new one", async () => {
    const { result } = render("ws://livekit");
    await act(async () => {
      result.current.updateRoomToken("t1");
      await result.current.connect();
    });
    act(() => result.current.disconnect());
    expect(result.current).toMatchObject({ roomToken: "", shouldConnect: false, wsUrl: "ws://livekit" });
    await expect(result.current.connect()).rejects.toThrow();
  });

  test("its functions stay the same, so that effects do not run again", () => {
    const { result } = render("ws://livekit");
    const { connect, disconnect, updateRoomToken } = result.current;
    act(() => result.current.updateRoomToken("t1"));
    expect(result.current).toMatchObject({ connect, disconnect, updateRoomToken });
  });

  test("outside of a provider it says what is missing", () => {
    vi.mocked(console.error).mockImplementation(() => undefined); // React reports what is thrown while rendering
    expect(() => renderHook(useAgentConnection)).toThrow("needs an AgentConnectionProvider");
    vi.mocked(console.error).mockClear();
  });
});
