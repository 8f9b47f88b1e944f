import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, test, vi } from "vitest";
import type { Message } from "../chat/frames";
import { MessageItem, UnsentItem } from "./MessageItem";

const message = (more: Partial<Message> = {}): Message => ({
  id: "m1",
  seq: 1,
  role: "user",
  text: "Hello",
  channel: "chat",
  interrupted: false,
  replyTo: null,
  kind: "speech",
  createdAt: "2026-11-24T10:00:00Z",
  ...more,
});
const show = (more: Partial<Message> = {}) => render(<MessageItem message={message(more)} follows={false} />);

describe("a message", () => {
  test.each([
    ["user", "voice", "You", "spoken"],
    ["user", "chat", "You", "typed"],
    ["user", "room", "You", "typed in the call"],
    ["assistant", "voice", "Agent", "spoken"],
    ["assistant", "chat", "Agent", "written"],
  ] as const)("%s by %s is told in words: %s, %s", (role, channel, who, how) => {
    show({ role, channel });
    expect(screen.getByText(who)).toBeInTheDocument();
    expect(screen.getByText(how)).toBeInTheDocument();
    expect(screen.getByRole("article", { name: `${who}, ${how}` })).toBeInTheDocument();
  });

  test.each([
    ["tool", "result of a tool"],
    ["note", "note"],
  ] as const)("of kind %s is shown as something to read: %s", (kind, how) => {
    const { container } = show({ role: "assistant", kind, text: "get_weather: 21 degrees" });
    expect(screen.getByRole("article", { name: `Agent, ${how}` })).toHaveClass("note");
    expect(container.querySelector(".spoken, .typed")).toBeNull();
  });

  test("that was cut short says so", () => {
    show({ interrupted: true });
    expect(screen.getByRole("article")).toHaveTextContent("Hello — interrupted");
  });

  test("that was not cut short does not", () => {
    show();
    expect(screen.queryByText(/interrupted/)).not.toBeInTheDocument();
  });

  test("is text, never HTML", () => {
    const text = '<img src="x" onerror="alert(1)"><b>bold</b>';
    const { container } = show({ text });
    expect(screen.getByText(text)).toBeInTheDocument();
    expect(container.querySelector("img, b")).toBeNull();
  });

  test("tells when, for people and for machines", () => {
    const { container } = show();
    expect(container.querySelector("time")).toHaveAttribute("datetime", "2026-11-24T10:00:00Z");
  });

  test.each([null, "", "yesterday"])("without a time (%j) shows none", (createdAt) => {
    expect(show({ createdAt }).container.querySelector("time")).toBeNull();
  });
});

describe("a message that the server has not confirmed", () => {
  const sendAgain = vi.fn();
  const discard = vi.fn();
  const unsent = (refused: string | null, connected = true) =>
    render(
      <UnsentItem
        message={{ id: "m1", text: "Hello", refused }}
        connected={connected}
        sendAgain={sendAgain}
        discard={discard}
      />,
    );

  test.each([
    [true, "Sending …"],
    [false, "Waits for the chat …"],
  ])("with the chat connected: %s, says %s", (connected, words) => {
    unsent(null, connected);
    expect(screen.getByText(words)).toBeInTheDocument();
    expect(screen.queryByRole("button")).not.toBeInTheDocument();
  });

  test("was refused: says why, and can be sent again or discarded", async () => {
    unsent("Too long.");
    expect(screen.getByRole("alert")).toHaveTextContent("Not sent: Too long.");
    await userEvent.click(screen.getByRole("button", { name: "Send again" }));
    await userEvent.click(screen.getByRole("button", { name: "Discard" }));
    expect(sendAgain.mock.calls).toEqual([["m1"]]);
    expect(discard.mock.calls).toEqual([["m1"]]);
  });
});
