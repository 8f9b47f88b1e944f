import { act, render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import type { Room } from "livekit-client";
import { describe, expect, test, vi } from "vitest";
import type { ChatState } from "../chat/connection";
import { noCall } from "../call/callState";
import type { Call } from "../call/useCall";
import { FakeRoom } from "../test/fakeRoom";
import { CallPanel, formatDuration } from "./CallPanel";

const models = { stt: ["moonshine"], llm: ["large", "rules"], tts: ["hibari"] };
const idle = (): Call => ({
  ...noCall,
  room: null,
  start: vi.fn(async () => undefined),
  hangUp: vi.fn(),
  toggleMute: vi.fn(async () => undefined),
  turnOnSound: vi.fn(async () => undefined),
  dismissError: vi.fn(),
});
const connected = (more: Partial<Call> = {}): Call => ({
  ...idle(),
  phase: "connected",
  room: new FakeRoom() as unknown as Room,
  ...more,
});
const panel = (call: Call, chatState: ChatState = "connected", goesOn = false) => (
  <CallPanel call={call} chatState={chatState} goesOn={goesOn} models={models} />
);
const show = (call: Call) => render(panel(call));
const button = (name: string) => screen.getByRole("button", { name });

test("out of a call there is one button, and the states are told in words", async () => {
  const call = idle();
  show(call);
  expect(screen.getByTestId("room-state")).toHaveTextContent("No call");
  expect(screen.getByTestId("chat-state")).toHaveTextContent("Chat is connected");
  expect(screen.getByTestId("agent-state")).not.toBeVisible();
  await userEvent.click(button("Start call"));
  expect(call.start).toHaveBeenCalledTimes(1);
  expect(screen.getAllByRole("button")).toHaveLength(1);
});

test.each([
  ["starting", "Calling …"],
  ["connected", "In a call"],
  ["reconnecting", "Call is reconnecting …"],
] as const)("%s: %s, and it can be ended", async (phase, words) => {
  const call = { ...idle(), phase };
  show(call);
  expect(screen.getByTestId("room-state")).toHaveTextContent(words);
  await userEvent.click(button("Hang up"));
  expect(call.hangUp).toHaveBeenCalledTimes(1);
});

test.each([
  ["", "Agent is not in the call"],
  ["joining", "Agent is joining …"],
  ["speaking", "Agent is speaking"],
  ["dreaming", "Agent is dreaming"],
])("agent state %j", (agentState, words) => {
  show(connected({ agentState }));
  expect(screen.getByTestId("agent-state")).toHaveTextContent(words);
});

test("the states of call and chat are read out, the agent's with its every sentence is not", () => {
  show(connected({ agentState: "speaking" }));
  const readOut = screen.getAllByRole("status").map((element) => element.dataset.testid);
  expect(readOut).toEqual(["room-state", "chat-state"]);
});

test("what hears, thinks and speaks is named", () => {
  show(idle());
  expect(screen.getAllByRole("definition").map((d) => d.textContent)).toEqual(["moonshine", "large, rules", "hibari"]);
});

describe("the microphone", () => {
  test("is muted and unmuted by one button, whose name says what it does", async () => {
    const call = connected();
    const { rerender } = show(call);
    await userEvent.click(button("Mute microphone"));
    expect(call.toggleMute).toHaveBeenCalledTimes(1);
    rerender(panel({ ...call, muted: true }));
    expect(button("Unmute microphone")).not.toHaveAttribute("aria-pressed");
  });

  test.each([
    ["before the room is entered", { room: null }],
    ["while the browser asks for it", { askingMicrophone: true }],
  ])("%s cannot be muted", async (_, more) => {
    const call = connected(more);
    show(call);
    expect(button("Mute microphone")).toHaveAttribute("aria-disabled", "true");
    await userEvent.click(button("Mute microphone"));
    expect(call.toggleMute).not.toHaveBeenCalled();
  });
});

describe("by keyboard", () => {
  test("the focus stays in its place when the call starts, and a second press does not end it", async () => {
    const call = idle();
    const { rerender } = show(call);
    button("Start call").focus();
    rerender(panel({ ...call, phase: "starting" }));
    expect(button("Mute microphone")).toHaveFocus();
    await userEvent.keyboard("{Enter}");
    expect(call.hangUp).not.toHaveBeenCalled();
  });

  test("hanging up leads to where the next call can be started", async () => {
    const call = connected();
    const { rerender } = show(call);
    button("Hang up").focus();
    await userEvent.keyboard("{Enter}");
    rerender(panel(idle()));
    expect(button("Start call")).toHaveFocus();
  });

  test("a call that ends by itself takes the focus from nobody", () => {
    const { rerender } = show(connected());
    rerender(panel(idle()));
    expect(document.body).toHaveFocus();
  });
});

test("sound that the browser holds back has a button", async () => {
  const call = connected({ soundBlocked: true });
  show(call);
  await userEvent.click(button("Turn on sound"));
  expect(call.turnOnSound).toHaveBeenCalledTimes(1);
});

test("a call that goes on in another window can be taken over, and the page says so", () => {
  const { rerender } = render(panel(idle()));
  expect(screen.queryByText(/takes it over/)).not.toBeInTheDocument();
  rerender(panel(idle(), "connected", true));
  expect(screen.getByText(/takes it over/)).toBeInTheDocument();
});

describe("the clock", () => {
  test("counts the seconds of the call, unheard, and stops with it", () => {
    vi.useFakeTimers();
    const { rerender } = show(connected({ since: Date.now() }));
    expect(screen.getByRole("timer")).toHaveTextContent("0:00");
    act(() => void vi.advanceTimersByTime(61_000));
    expect(screen.getByRole("timer")).toHaveTextContent("1:01");
    rerender(panel(idle()));
    expect(screen.queryByRole("timer")).not.toBeInTheDocument();
    expect(vi.getTimerCount()).toBe(0);
  });

  test.each([
    [-5, "0:00"],
    [59_999, "0:59"],
    [754_000, "12:34"],
    [3_600_000, "1:00:00"],
    [37_230_000, "10:20:30"],
  ])("%i ms are %s", (ms, words) => {
    expect(formatDuration(ms)).toBe(words);
  });
});

test("how loud somebody is shows in the circle", () => {
  const room = new FakeRoom();
  const { container } = show(connected({ room: room as unknown as Room }));
  room.happens("activeSpeakersChanged", [{ audioLevel: 0.2 }, { audioLevel: 0.5 }]);
  expect(container.querySelector(".orb")).toHaveStyle({ "--level": "0.50" });
});
