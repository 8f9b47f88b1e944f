import { act, renderHook } from "@testing-library/react";
import type { ReactNode } from "react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import { AgentConnectionProvider } from "../hooks/useAgentConnection";
import { plan, resetRooms, rooms } from "../test/fakeRoom";
import { forgetCall, knownRoom, leftCall, recallCall, rememberCall } from "./runningCall";
import { AGENT_TIMEOUT_MS, ASKING_MS } from "./roomSession";
import { useCall } from "./useCall";

const { ConnectionError, DisconnectReason } = await vi.importActual<typeof import("livekit-client")>("livekit-client");

vi.mock("livekit-client", async (original) => ({
  ...(await original<typeof import("livekit-client")>()),
  Room: (await import("../test/fakeRoom")).FakeRoom,
}));

const token = vi.fn<(url: string, init: RequestInit) => Promise<Response>>();
const params = { session_user: "v1" };
const made = (resumed = false) => Response.json({ token: "jwt", url: "ws://livekit", room: "r1", resumed });
const named = (name: string) => Object.assign(new Error(name), { name });
const wrapper = ({ children }: { children: ReactNode }) => (
  <AgentConnectionProvider>{children}</AgentConnectionProvider>
);
const render = () => renderHook((who) => useCall("c1", who), { wrapper, initialProps: params });
const settle = () => act(async () => undefined);
const words = (result: { current: { problem: { words: string } | null } }) => result.current.problem?.words;

/** The room that the page is in, or is on its way into. */
function room() {
  const last = rooms.at(-1);
  if (!last) throw new Error("No room was entered.");
  return last;
}

async function inCall() {
  const rendered = render();
  await act(() => rendered.result.current.start());
  await settle();
  return rendered;
}

beforeEach(() => {
  resetRooms();
  token.mockReset().mockImplementation(async () => made());
  vi.stubGlobal("fetch", token);
});

describe("starting", () => {
  test("nothing happens by itself", async () => {
    const { result } = render();
    await settle();
    expect(result.current).toMatchObject({ phase: "idle", room: null, problem: null });
    expect(token).not.toHaveBeenCalled();
  });

  test("fetches a token, enters its room and turns the microphone on", async () => {
    const { result } = await inCall();
    expect(JSON.parse(String(token.mock.calls[0]?.[1].body))).toEqual({ conversation: "c1" });
    expect(room().joinedWith).toEqual({ url: "ws://livekit", token: "jwt" });
    expect(room().microphone).toEqual([true]);
    expect(result.current).toMatchObject({ phase: "connected", muted: false, problem: null });
    expect(recallCall("c1")).toEqual({ conversation: "c1", room: "r1", muted: false });
  });

  test("a refused token is told in words", async () => {
    token.mockResolvedValue(new Response("", { status: 401 }));
    const { result } = await inCall();
    expect(result.current.phase).toBe("idle");
    expect(words(result)).toBe("No room token: You are not signed in any more. Sign in again.");
    expect(rooms).toEqual([]);
  });

  test("a call server that is gone is told in words, and the call is over", async () => {
    plan.connect = async () => Promise.reject(new Error("connection refused"));
    const { result } = await inCall();
    expect(result.current).toMatchObject({ phase: "idle", room: null });
    expect(words(result)).toBe("The call server cannot be reached. Is it running? Try again.");
    expect(recallCall("c1")).toBeNull();
  });

  test("a token that the call server refuses is told in words", async () => {
    plan.connect = async () => Promise.reject(ConnectionError.notAllowed("invalid token", 401));
    const { result } = await inCall();
    expect(result.current.phase).toBe("idle");
    expect(words(result)).toContain("The call server refused the room token.");
  });

  test("leaving the page before the token has come starts no call", async () => {
    let answer: (response: Response) => void = () => undefined;
    token.mockReturnValue(new Promise((resolve) => (answer = resolve)));
    const { result, unmount } = render();
    let started: Promise<void> | undefined;
    act(() => {
      started = result.current.start();
    });
    unmount();
    answer(made());
    await started;
    expect(rooms).toEqual([]);
  });

  test("hanging up before the token has come starts no call", async () => {
    let answer: (response: Response) => void = () => undefined;
    token.mockReturnValue(new Promise((resolve) => (answer = resolve)));
    const { result } = render();
    let started: Promise<void> | undefined;
    act(() => {
      started = result.current.start();
    });
    expect(result.current.phase).toBe("starting");
    act(() => result.current.hangUp());
    await act(async () => {
      answer(made());
      await started;
    });
    expect(result.current).toMatchObject({ phase: "idle", problem: null });
    expect(rooms).toEqual([]);
  });

  test("hanging up while the room is entered leaves it again", async () => {
    let enter = (): void => undefined;
    plan.connect = () => new Promise((resolve) => (enter = resolve));
    const { result } = await inCall();
    act(() => result.current.hangUp());
    await act(async () => enter());
    expect(room().disconnects).toBeGreaterThan(0);
    expect(room().microphone).toEqual([]);
    expect(result.current).toMatchObject({ phase: "idle", room: null });
    expect(recallCall("c1")).toBeNull();
  });
});

describe("the microphone", () => {
  test("refused: told in words, and the call goes on muted", async () => {
    plan.microphone = async () => Promise.reject(named("NotAllowedError"));
    const { result } = await inCall();
    expect(result.current).toMatchObject({ phase: "connected", muted: true });
    expect(words(result)).toContain("The microphone was refused.");
    act(() => result.current.dismissError());
    expect(result.current.problem).toBeNull();
  });

  test("allowed after all: the complaint goes away", async () => {
    plan.microphone = async () => Promise.reject(named("NotAllowedError"));
    const { result } = await inCall();
    plan.microphone = async () => undefined;
    await act(() => result.current.toggleMute());
    expect(result.current).toMatchObject({ muted: false, problem: null });
  });

  test("is asked for in words when the browser takes its time", async () => {
    vi.useFakeTimers();
    let allow = (): void => undefined;
    plan.microphone = () => new Promise((resolve) => (allow = resolve));
    const { result } = await inCall();
    expect(result.current).toMatchObject({ phase: "connected", askingMicrophone: false });
    act(() => void vi.advanceTimersByTime(ASKING_MS));
    expect(result.current.askingMicrophone).toBe(true);
    await act(async () => allow());
    expect(result.current).toMatchObject({ askingMicrophone: false, muted: false });
  });

  test("is muted and unmuted, and a reload would know", async () => {
    const { result } = await inCall();
    await act(() => result.current.toggleMute());
    expect(result.current.muted).toBe(true);
    expect(recallCall("c1")?.muted).toBe(true);
    await act(() => result.current.toggleMute());
    expect(result.current.muted).toBe(false);
    expect(room().microphone).toEqual([true, false, true]);
  });

  test("that cannot be unmuted stays muted, and says why", async () => {
    const { result } = await inCall();
    await act(() => result.current.toggleMute());
    plan.microphone = async () => Promise.reject(named("NotFoundError"));
    await act(() => result.current.toggleMute());
    expect(result.current.muted).toBe(true);
    expect(words(result)).toContain("No microphone was found.");
  });

  test("that is turned off elsewhere is shown as it is; the agent's is no concern", async () => {
    const { result } = await inCall();
    room().microphoneTurns(false);
    expect(result.current.muted).toBe(true);
    room().microphoneTurns(true);
    expect(result.current.muted).toBe(false);
    room().happens("trackMuted", {}, { isAgent: true });
    expect(result.current.muted).toBe(false);
  });

  test("of a call that was hung up meanwhile changes nothing", async () => {
    let refuse: (problem: Error) => void = () => undefined;
    plan.microphone = () => new Promise((_resolve, reject) => (refuse = reject));
    const { result } = await inCall();
    act(() => result.current.hangUp());
    await act(async () => refuse(named("NotAllowedError")));
    expect(result.current).toMatchObject({ phase: "idle", muted: false, problem: null });
  });
});

describe("the agent", () => {
  test("its state is shown as it changes, and gone with it", async () => {
    const { result } = await inCall();
    expect(result.current.agentState).toBe("");
    room().agentJoins("listening");
    expect(result.current.agentState).toBe("listening");
    room().remoteParticipants.set("agent", { isAgent: true, attributes: { "lk.agent.state": "speaking" } });
    room().happens("participantAttributesChanged");
    expect(result.current.agentState).toBe("speaking");
    room().agentLeaves();
    expect(result.current.agentState).toBe("");
  });

  test("that does not come within 15 s is missed in words", async () => {
    vi.useFakeTimers();
    const { result } = await inCall();
    act(() => void vi.advanceTimersByTime(AGENT_TIMEOUT_MS - 1));
    expect(result.current.problem).toBeNull();
    act(() => void vi.advanceTimersByTime(1));
    expect(words(result)).toContain("No agent has come to the call.");
    expect(result.current.phase).toBe("connected");
    room().agentJoins("listening");
    expect(result.current.problem).toBeNull();
  });

  test("that comes in time is not missed", async () => {
    vi.useFakeTimers();
    const { result } = await inCall();
    room().agentJoins("listening");
    act(() => void vi.advanceTimersByTime(AGENT_TIMEOUT_MS));
    expect(result.current.problem).toBeNull();
  });

  test("that has left and does not come back is missed in words", async () => {
    vi.useFakeTimers();
    const { result } = await inCall();
    room().agentJoins("listening");
    act(() => void vi.advanceTimersByTime(60_000));
    room().agentLeaves();
    act(() => void vi.advanceTimersByTime(AGENT_TIMEOUT_MS - 1));
    expect(result.current).toMatchObject({ problem: null, agentState: "" });
    act(() => void vi.advanceTimersByTime(1));
    expect(words(result)).toContain("The agent has left the call.");
  });

  test("that is replaced by another one in time is not missed", async () => {
    vi.useFakeTimers();
    const { result } = await inCall();
    room().agentJoins("listening");
    room().agentLeaves();
    room().agentJoins("listening");
    act(() => void vi.advanceTimersByTime(AGENT_TIMEOUT_MS));
    expect(result.current.problem).toBeNull();
  });

  test("is heard through an element that goes with the call", async () => {
    const { result } = await inCall();
    const element = document.createElement("audio");
    room().happens("trackSubscribed", { kind: "audio", attach: () => element });
    expect(element).toBeInTheDocument();
    act(() => result.current.hangUp());
    expect(element).not.toBeInTheDocument();
  });

  test("silenced by the browser: sound can be turned on", async () => {
    const { result } = await inCall();
    room().canPlaybackAudio = false;
    room().happens("audioPlaybackChanged");
    expect(result.current.soundBlocked).toBe(true);
    await act(() => result.current.turnOnSound());
    expect(room().soundStarted).toBe(true);
    expect(result.current.soundBlocked).toBe(false);
  });
});

describe("the end", () => {
  test("hanging up leaves the room and forgets the call", async () => {
    const { result } = await inCall();
    const left = room();
    act(() => result.current.hangUp());
    expect(left.disconnects).toBe(1);
    expect(result.current).toMatchObject({ phase: "idle", room: null, agentState: "", problem: null });
    expect(recallCall("c1")).toBeNull();
    expect(knownRoom("c1")).toBeNull();
  });

  test("a room that the agent closed is told in words", async () => {
    const { result } = await inCall();
    room().happens("disconnected", DisconnectReason.ROOM_DELETED);
    expect(result.current).toMatchObject({ phase: "idle", room: null });
    expect(words(result)).toBe("The agent has ended the call. You can go on by text, or call again.");
    expect(recallCall("c1")).toBeNull();
  });

  test("the next call is a new one", async () => {
    const { result } = await inCall();
    act(() => result.current.hangUp());
    await act(() => result.current.start());
    await settle();
    expect(rooms).toHaveLength(2);
    expect(result.current.phase).toBe("connected");
  });

  test("a connection that comes back is shown as reconnecting meanwhile", async () => {
    const { result } = await inCall();
    room().happens("connectionStateChanged", "reconnecting");
    expect(result.current.phase).toBe("reconnecting");
    room().happens("connectionStateChanged", "connected");
    expect(result.current.phase).toBe("connected");
  });

  test("leaving the page leaves the room, but a reload may come back", async () => {
    const { unmount } = await inCall();
    unmount();
    expect(room().disconnects).toBe(1);
    expect(recallCall("c1")?.room).toBe("r1");
  });

  test("hanging up leaves no timer behind", async () => {
    vi.useFakeTimers();
    plan.microphone = () => new Promise(() => undefined);
    const { result } = await inCall();
    act(() => result.current.hangUp());
    vi.advanceTimersByTime(0); // jsdom tells other windows of the storage
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe("a reload in mid-call", () => {
  test("comes back to the same room, muted as it was, once", async () => {
    rememberCall({ conversation: "c1", room: "r1", muted: true });
    token.mockImplementation(async () => made(true));
    const { result, rerender } = render();
    await settle();
    rerender({ ...params });
    await settle();
    expect(token).toHaveBeenCalledTimes(1);
    expect(JSON.parse(String(token.mock.calls[0]?.[1].body))).toEqual({ conversation: "c1", room: "r1" });
    expect(room().microphone).toEqual([false]);
    expect(result.current).toMatchObject({ phase: "connected", muted: true });
  });

  test("whose call has ended meanwhile starts no new one", async () => {
    rememberCall({ conversation: "c1", room: "r1", muted: false });
    const { result } = render();
    await settle();
    expect(token).toHaveBeenCalledTimes(1);
    expect(rooms).toEqual([]);
    expect(result.current).toMatchObject({ phase: "idle", problem: null });
    expect(recallCall("c1")).toBeNull();
  });

  test("of another conversation starts nothing", async () => {
    rememberCall({ conversation: "c2", room: "r2", muted: false });
    render();
    await settle();
    expect(token).not.toHaveBeenCalled();
  });
});

describe("several windows of one conversation", () => {
  const asked = () => token.mock.calls.map(([, init]) => JSON.parse(String(init.body)) as unknown);

  test("a call that goes on in another one is taken over, and not begun anew", async () => {
    rememberCall({ conversation: "c1", room: "r1", muted: true });
    leftCall();
    token.mockImplementation(async () => made(true));
    const { result } = await inCall();
    expect(asked()).toEqual([{ conversation: "c1", room: "r1" }]);
    expect(result.current).toMatchObject({ phase: "connected", muted: false });
  });

  test("one that has ended meanwhile is begun anew", async () => {
    rememberCall({ conversation: "c1", room: "gone", muted: false });
    leftCall();
    const { result } = await inCall();
    expect(result.current.phase).toBe("connected");
    expect(recallCall("c1")?.room).toBe("r1");
  });

  test("a call that was hung up is not taken over", async () => {
    rememberCall({ conversation: "c1", room: "r1", muted: false });
    forgetCall("c1");
    await inCall();
    expect(asked()).toEqual([{ conversation: "c1" }]);
  });

  test("the window that loses the call says where it went, and a reload does not take it back", async () => {
    const { result } = await inCall();
    room().happens("disconnected", DisconnectReason.DUPLICATE_IDENTITY);
    expect(words(result)).toBe("The call goes on in another window.");
    expect(recallCall("c1")).toBeNull();
    expect(knownRoom("c1")).toBe("r1");
  });
});
