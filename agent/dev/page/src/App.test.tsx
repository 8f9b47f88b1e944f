// The whole page with its socket and its room played by the test: what a person sees, reads and hears of each state.

import { act, render, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, test, vi } from "vitest";
import html from "../index.html?raw";
import { App } from "./App";
import { ErrorBoundary } from "./components/ErrorBoundary";
import { expectAccessible } from "./test/accessible";
import { plan, resetRooms, rooms } from "./test/fakeRoom";
import { resetSocket, socket } from "./test/mockSocket";

vi.mock("react-use-websocket", () => import("./test/mockSocket"));
vi.mock("livekit-client", async (original) => ({
  ...(await original<typeof import("livekit-client")>()),
  Room: (await import("./test/fakeRoom")).FakeRoom,
}));

const models = { stt: ["moonshine"], llm: ["rules"], tts: ["hibari"] };
const config = { chatApiUrl: "ws://h/ws/v1/", livekitUrl: "ws://livekit", appType: "social", models };
const token = { token: "jwt", url: "ws://livekit", room: "r1", resumed: false };

type Answer = () => Response | Promise<Response>;
const answers: Record<string, Answer> = {};
const said = (id: string, seq: number, more: object = {}) => ({ id, seq, role: "user", text: id, ...more });
const receive = (message: object) => socket.receive({ event: "message", payload: message });
const settle = () => act(async () => undefined);

async function open(): Promise<void> {
  render(<App />);
  await settle();
}

async function openChat(): Promise<void> {
  await open();
  await socket.open();
}

async function startCall(): Promise<void> {
  await userEvent.click(screen.getByRole("button", { name: "Start call" }));
  await settle();
}

beforeEach(() => {
  const page = new DOMParser().parseFromString(html, "text/html");
  document.title = page.title;
  document.documentElement.lang = page.documentElement.lang;
  history.replaceState(null, "", "/?conversation=c1");
  resetSocket();
  resetRooms();
  Object.assign(answers, {
    "/api/config": () => Response.json(config),
    "/api/generate-room-token": () => Response.json(token),
    "/api/dev/login": () => Response.json({ token: "jwt of ana" }),
    "/ws/v1/conversation/c1/messages/": () => Response.json({ results: [], next: null }),
  });
  vi.stubGlobal("fetch", async (url: string) => {
    const answer = answers[new URL(url, "http://h").pathname];
    return answer ? answer() : new Response("", { status: 404 });
  });
});

describe("what a person sees", () => {
  test("first: an invitation, and how call and chat are", async () => {
    await openChat();
    expect(screen.getByRole("heading", { name: "Talk or type" })).toBeInTheDocument();
    expect(screen.getByTestId("room-state")).toHaveTextContent("No call");
    expect(screen.getByTestId("chat-state")).toHaveTextContent("Chat is connected");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
    await expectAccessible();
  });

  test("a thread with spoken, typed and interrupted messages, and what is being said", async () => {
    const results = [
      said("a", 1, { role: "assistant", channel: "voice", text: "Hello! You can", interrupted: true }),
      said("b", 2, { channel: "voice", text: "Seven of clubs." }),
      said("c", 3, { channel: "chat", text: "<b>bold</b>" }),
      said("d", 4, { channel: "room", role: "user", created_at: "2026-01-01T10:00:00Z" }),
    ];
    answers["/ws/v1/conversation/c1/messages/"] = () => Response.json({ results, next: null });
    await openChat();
    socket.receive({ event: "typing", payload: { role: "assistant", active: true } });
    const articles = screen.getAllByRole("article");
    expect(articles.map((a) => [a.dataset.id, a.dataset.role, a.dataset.channel, a.dataset.interrupted])).toEqual([
      ["a", "assistant", "voice", "true"],
      ["b", "user", "voice", "false"],
      ["c", "user", "chat", "false"],
      ["d", "user", "room", "false"],
    ]);
    expect(articles[2]).toHaveTextContent("<b>bold</b>");
    expect(screen.getByText("Agent is thinking …")).toBeInTheDocument();
    await expectAccessible();
  });

  test("a call: states, clock, title, mute and hang up", async () => {
    const title = document.title;
    await openChat();
    await startCall();
    rooms[0]?.agentJoins("speaking");
    expect(screen.getByTestId("room-state")).toHaveTextContent("In a call");
    expect(screen.getByTestId("agent-state")).toHaveTextContent("Agent is speaking");
    expect(document.title).toContain("In a call");
    expect(screen.getByRole("button", { name: "Mute microphone" })).toBeEnabled();
    await expectAccessible();
    await userEvent.click(screen.getByRole("button", { name: "Hang up" }));
    expect(screen.getByTestId("room-state")).toHaveTextContent("No call");
    expect(document.title).toBe(title);
  });

  test("a typed message at once, and once when the server has it", async () => {
    await openChat();
    await userEvent.type(screen.getByRole("textbox", { name: "Message" }), "Hello{Enter}");
    expect(screen.getByText("Sending …")).toBeInTheDocument();
    const frame = socket.sent.find((sent) => JSON.stringify(sent).includes("Hello")) as { data: { id: string } };
    receive(said(frame.data.id, 1, { text: "Hello" }));
    expect(screen.queryByText("Sending …")).not.toBeInTheDocument();
    expect(screen.getAllByRole("article")).toHaveLength(1);
  });

  test("a call that goes on in another window", async () => {
    localStorage.setItem("room:c1", "r1");
    await openChat();
    socket.receive({ event: "presence", payload: { agent: true } });
    expect(screen.getByText(/“Start call” takes it over/)).toBeInTheDocument();
    await expectAccessible();
    await startCall();
    expect(screen.queryByText(/takes it over/)).not.toBeInTheDocument();
  });
});

describe("what goes wrong is told in words", () => {
  const alert = () => screen.getByRole("alert");

  test("the server of the page is gone", async () => {
    answers["/api/config"] = () => Promise.reject(new TypeError("Failed to fetch"));
    await open();
    expect(alert()).toHaveTextContent("The server cannot be reached. Start it with `make dev`");
    expect(screen.getByRole("button", { name: "Reload" })).toBeEnabled();
    await expectAccessible();
  });

  test("the chat server is gone: what is typed waits, and one can try at once", async () => {
    await openChat();
    socket.close(1006);
    expect(screen.getByTestId("chat-state")).toHaveTextContent("Chat is reconnecting …");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
    await userEvent.type(screen.getByRole("textbox", { name: "Message" }), "Hello{Enter}");
    expect(screen.getByText("Waits for the chat …")).toBeInTheDocument();
    socket.close(1006);
    expect(alert()).toHaveTextContent("The chat server cannot be reached. What you write is kept");
    await expectAccessible();
    socket.stop();
    expect(screen.getByTestId("chat-state")).toHaveTextContent("Chat is disconnected");
    await userEvent.click(screen.getByRole("button", { name: "Try now" }));
    expect(socket.told).toEqual([true, false, true]);
    await socket.open();
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
    expect(socket.sent.at(-1)).toMatchObject({ data: { message: "Hello" } });
  });

  test("a conversation of somebody else: a new one can be opened", async () => {
    answers["/ws/v1/conversation/c1/messages/"] = () => new Response("", { status: 403 });
    await open();
    socket.close(1006);
    await settle();
    expect(alert()).toHaveTextContent("This conversation belongs to somebody else.");
    await expectAccessible();
    await userEvent.click(within(alert()).getByRole("button", { name: "New conversation" }));
    expect(socket.url).not.toContain("conversation/c1/");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("a sign-in that is not valid any more: one can sign out", async () => {
    localStorage.setItem("signedIn", JSON.stringify({ token: "old", name: "ana" }));
    answers["/ws/v1/conversation/c1/messages/"] = () => new Response("", { status: 401 });
    await open();
    socket.close(1006);
    await settle();
    expect(alert()).toHaveTextContent("You are not signed in any more.");
    await userEvent.click(within(alert()).getByRole("button", { name: "Sign out" }));
    expect(socket.url).toContain("session_user=");
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
  });

  test("the microphone is refused: the call goes on, and dismissing it leads to the field", async () => {
    plan.microphone = async () => Promise.reject(Object.assign(new Error(), { name: "NotAllowedError" }));
    await openChat();
    await startCall();
    expect(alert()).toHaveTextContent("The microphone was refused.");
    expect(screen.getByTestId("room-state")).toHaveTextContent("In a call");
    expect(screen.getByRole("button", { name: "Unmute microphone" })).toBeEnabled();
    await expectAccessible();
    await userEvent.click(screen.getByRole("button", { name: "Dismiss" }));
    expect(screen.queryByRole("alert")).not.toBeInTheDocument();
    expect(screen.getByRole("textbox", { name: "Message" })).toHaveFocus();
  });

  test("the room token is refused", async () => {
    answers["/api/generate-room-token"] = () => new Response("", { status: 401 });
    await openChat();
    await startCall();
    expect(alert()).toHaveTextContent("No room token: You are not signed in any more.");
    expect(screen.getByRole("button", { name: "Start call" })).toBeEnabled();
  });

  test("the call server is gone", async () => {
    plan.connect = async () => Promise.reject(new Error("no answer"));
    await openChat();
    await startCall();
    expect(alert()).toHaveTextContent("The call server cannot be reached.");
    expect(screen.getByTestId("room-state")).toHaveTextContent("No call");
  });

  test("a message that the server does not take", async () => {
    await openChat();
    await userEvent.type(screen.getByRole("textbox", { name: "Message" }), "Hello{Enter}");
    const frame = socket.sent.find((sent) => JSON.stringify(sent).includes("Hello")) as { data: { id: string } };
    socket.receive({ event: "error", payload: { code: "bad_frame", message: "no.", id: frame.data.id } });
    expect(alert()).toHaveTextContent("Not sent: no.");
    await expectAccessible();
  });

  test("the page itself has failed", async () => {
    vi.mocked(console.error).mockImplementation(() => undefined); // React reports what is thrown while rendering
    const Broken = () => {
      throw new Error("broken");
    };
    render(
      <ErrorBoundary>
        <Broken />
      </ErrorBoundary>,
    );
    expect(alert()).toHaveTextContent("The page has failed.");
    vi.mocked(console.error).mockClear();
  });
});

describe("who uses the page", () => {
  test("signs in, and is in a conversation of their own with their token", async () => {
    await openChat();
    await userEvent.click(screen.getByRole("button", { name: "Sign in" }));
    await expectAccessible();
    await userEvent.keyboard("ana{Enter}");
    expect(await screen.findByRole("button", { name: "Sign out ana" })).toBeEnabled();
    expect(socket.url).toContain("token=jwt+of+ana");
    expect(socket.url).not.toContain("conversation/c1/");
  });
});

test("a page that is gone leaves no timer, no room and no wish to reconnect behind", async () => {
  vi.useFakeTimers();
  const { unmount } = render(<App />);
  await settle();
  await socket.open();
  act(() => screen.getByRole("button", { name: "Start call" }).click());
  await settle();
  await settle();
  expect(screen.getByTestId("room-state")).toHaveTextContent("In a call");
  unmount();
  vi.advanceTimersByTime(0); // jsdom tells other windows of the storage
  expect(vi.getTimerCount()).toBe(0);
  expect(rooms[0]?.disconnects).toBe(1);
  expect(socket.close(1006)).toBe(false);
});
