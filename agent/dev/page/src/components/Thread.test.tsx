import { fireEvent, render, screen } from "@testing-library/react";
import { beforeEach, describe, expect, test, vi } from "vitest";
import type { ShownMessage, Thread as ThreadState } from "../chat/thread";
import { emptyThread } from "../chat/thread";
import { resize } from "../test/resizes";
import { Thread } from "./Thread";

const message = (id: string, more: Partial<ShownMessage> = {}): ShownMessage => ({
  key: id,
  id,
  seq: 1,
  role: "user",
  text: id,
  channel: "chat",
  interrupted: false,
  replyTo: null,
  kind: "speech",
  createdAt: null,
  ...more,
});
const thread = (more: Partial<ThreadState>): ThreadState => ({ ...emptyThread, loaded: true, ...more });
const view = (state: ThreadState, calling = false, connected = true) => (
  <Thread thread={state} calling={calling} connected={connected} sendAgain={vi.fn()} discard={vi.fn()} />
);
const conversation = () => screen.getByRole("region", { name: "Conversation" });
const unsent = [{ id: "u", text: "third", refused: null }];

test("an empty thread says what to do, by voice too while in a call", () => {
  const { rerender } = render(view(thread({})));
  expect(screen.getByRole("heading", { name: "Talk or type" })).toBeInTheDocument();
  rerender(view(thread({}), true));
  expect(screen.getByRole("heading", { name: "Say something, or type" })).toBeInTheDocument();
});

test("a thread that has not been read yet does not pretend to be empty", () => {
  const { rerender } = render(view(emptyThread));
  expect(screen.getByText("Loading …")).toBeInTheDocument();
  rerender(view(emptyThread, false, false));
  expect(conversation()).toBeEmptyDOMElement();
});

test("messages stand in order, what is unsent last, and can be scrolled by keyboard", () => {
  render(view(thread({ messages: [message("first"), message("second")], unsent })));
  expect(conversation()).toHaveAttribute("tabindex", "0");
  expect(conversation()).toHaveTextContent(/first.*second.*third/);
  expect(screen.queryByRole("heading")).not.toBeInTheDocument();
});

test("a speaker's next message stands closer, but not on another day", () => {
  const messages = [
    message("a", { createdAt: "2026-01-01T12:00:00Z" }),
    message("b", { createdAt: "2026-01-01T12:01:00Z" }),
    message("c", { createdAt: "2026-01-03T12:00:00Z" }),
    message("d", { createdAt: "2026-01-03T12:00:01Z", role: "assistant" }),
  ];
  render(view(thread({ messages })));
  const follows = screen.getAllByRole("article").map((article) => article.classList.contains("follows"));
  expect(follows).toEqual([false, true, false, false]);
});

describe("live captions", () => {
  const live = (text: string, channel: "voice" | "chat" = "voice") => ({ text, channel });

  test("are shown, and kept from screen readers", () => {
    const { container } = render(view(thread({ live: { user: live("Hel"), assistant: live("", "chat") } }), true));
    const captions = [...container.querySelectorAll("[data-live]")];
    expect(captions.map((c) => c.getAttribute("aria-hidden"))).toEqual(["true", "true"]);
    expect(captions.map((c) => c.textContent)).toEqual(["HelYou are speaking …", "Agent is thinking …"]);
  });

  test("tell typing from speaking", () => {
    render(view(thread({ live: { user: live("", "chat"), assistant: live("Hi") } })));
    expect(screen.getByText("You are typing in another window …")).toBeInTheDocument();
    expect(screen.getByText("Agent is speaking …")).toBeInTheDocument();
  });

  test("take the place of the invitation", () => {
    render(view(thread({ live: { assistant: live("Hello!") } }), true));
    expect(screen.queryByRole("heading")).not.toBeInTheDocument();
  });

  test("are none when nobody speaks", () => {
    const { container } = render(view(thread({}), true));
    expect(container.querySelector("[data-live]")).toBeNull();
  });

  test("are text, never HTML", () => {
    const { container } = render(view(thread({ live: { user: live("<img src=x onerror=alert(1)>") } })));
    expect(container.querySelector("img")).toBeNull();
  });
});

describe("the day", () => {
  test("is named once", () => {
    const createdAt = new Date().toISOString();
    render(view(thread({ messages: [message("a", { createdAt }), message("b", { createdAt })] })));
    expect(screen.getAllByText("Today")).toHaveLength(1);
  });

  test("is not named without a time that can be read", () => {
    const { container } = render(view(thread({ messages: [message("a", { createdAt: "yesterday" }), message("b")] })));
    expect(container.querySelector(".day")).toBeNull();
  });
});

describe("screen readers", () => {
  const news = () => [...screen.getByRole("log", { name: "New messages" }).children].map((p) => p.textContent);
  const agentSays = message("b", { role: "assistant", channel: "voice", text: "Hello!", interrupted: true });

  test("are told of each new message once, who and how, and of no caption", () => {
    const { rerender } = render(view(thread({ messages: [message("a")] })));
    expect(news()).toEqual([]);
    rerender(view(thread({ messages: [message("a")], live: { user: { text: "Hel", channel: "voice" } } })));
    expect(news()).toEqual([]);
    rerender(view(thread({ messages: [message("a"), agentSays] })));
    expect(news()).toEqual(["Agent, spoken: Hello! — interrupted"]);
    const [told] = screen.getByRole("log").children;
    rerender(view(thread({ messages: [message("a"), agentSays], live: { user: { text: "", channel: "voice" } } })));
    expect(screen.getByRole("log").children[0]).toBe(told);
    rerender(view(thread({ messages: [message("a"), agentSays, message("c")] })));
    expect(news()).toEqual(["You, typed: c"]);
  });

  test("are not told of what stood there before", () => {
    const { rerender } = render(view(emptyThread));
    rerender(view({ ...emptyThread, messages: [message("a")] }));
    rerender(view(thread({ messages: [message("a"), message("b")] })));
    expect(news()).toEqual([]);
  });

  test("are not flooded after a long absence", () => {
    const many = Array.from({ length: 50 }, (_, i) => message(`m${i}`));
    const { rerender } = render(view(thread({ messages: [] })));
    rerender(view(thread({ messages: many })));
    expect(news()).toHaveLength(5);
  });
});

describe("scrolling", () => {
  const layOut = (scrollTop: number) =>
    Object.defineProperties(conversation(), {
      scrollHeight: { value: 1000, configurable: true },
      clientHeight: { value: 200, configurable: true },
      scrollTop: { value: scrollTop, configurable: true },
    });
  const scroll = (top: number) => {
    layOut(top);
    fireEvent.scroll(conversation());
    vi.mocked(Element.prototype.scrollTo).mockClear();
  };
  const two = thread({ messages: [message("a"), message("b")] });

  beforeEach(() => {
    vi.spyOn(Element.prototype, "scrollTo");
  });

  test("who is at the end stays there, also when the thread gets smaller", () => {
    const { rerender } = render(view(thread({ messages: [message("a")] })));
    scroll(800);
    rerender(view(two));
    expect(Element.prototype.scrollTo).toHaveBeenCalledWith({ top: 1000 });
    vi.mocked(Element.prototype.scrollTo).mockClear();
    resize();
    expect(Element.prototype.scrollTo).toHaveBeenCalledWith({ top: 1000 });
  });

  test("who reads further up is not moved, and gets a way back to the end", () => {
    const { rerender } = render(view(thread({ messages: [message("a")] })));
    scroll(0);
    rerender(view(two));
    resize();
    expect(Element.prototype.scrollTo).not.toHaveBeenCalled();
    fireEvent.click(screen.getByRole("button", { name: /New messages/ }));
    expect(Element.prototype.scrollTo).toHaveBeenCalledWith({ top: 1000 });
    expect(screen.queryByRole("button", { name: /New messages/ })).not.toBeInTheDocument();
  });

  test("who sends something wants to see it", () => {
    const { rerender } = render(view(two));
    scroll(0);
    rerender(view({ ...two, unsent }));
    expect(Element.prototype.scrollTo).toHaveBeenCalledWith({ top: 1000 });
  });
});
