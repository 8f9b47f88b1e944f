// @vitest-environment node
import { describe, expect, test, vi } from "vitest";
import type { Message } from "./frames";
import { readHistory, whyRefused } from "./history";

const stored = (seq: number) => ({ id: `m${seq}`, seq, role: "user", text: `text ${seq}` });
const page = (from: number, count: number) => Array.from({ length: count }, (_, i) => stored(from + i));

/** A server with one answer for every request; tells what was asked. */
function serve(...answers: Response[]) {
  const fetch = vi.fn(async (_url: string, _init?: RequestInit) => answers.shift() ?? Response.json({ results: [] }));
  vi.stubGlobal("fetch", fetch);
  return { asked: () => fetch.mock.calls.map(([url]) => new URL(url)), fetch };
}
const params = { token: "a+b" };
const never = () => new AbortController().signal;
async function load(after = 0, signal = never()): Promise<Message[]> {
  const messages: Message[] = [];
  for await (const page of readHistory("http://h/messages/", params, after, signal)) messages.push(...page);
  return messages;
}

describe("paging", () => {
  test("reads page after page until there is no next one", async () => {
    const { asked } = serve(
      Response.json({ results: page(1, 200), next: 200 }),
      Response.json({ results: page(201, 3), next: null }),
    );
    const messages = await load();
    expect(messages).toHaveLength(203);
    expect(messages.at(-1)?.id).toBe("m203");
    expect(asked().map((url) => url.searchParams.get("after"))).toEqual(["0", "200"]);
  });

  test("a server that gives out smaller pages than asked for is read to the end", async () => {
    const next = "http://h/messages/?after=50";
    serve(Response.json({ results: page(1, 50), next }), Response.json({ results: page(51, 50), next: null }));
    expect(await load()).toHaveLength(100);
  });

  test("a server that does not say what is next is read until a page is not full", async () => {
    const { asked } = serve(Response.json({ results: page(1, 200) }), Response.json({ results: page(201, 3) }));
    expect(await load()).toHaveLength(203);
    expect(asked()).toHaveLength(2);
  });

  test("sends who asks, encoded, and starts after the place given", async () => {
    const { asked } = serve();
    await load(7);
    expect(Object.fromEntries(asked()[0]?.searchParams ?? [])).toEqual({ token: "a+b", after: "7", limit: "200" });
    expect(asked()[0]?.search).toContain("token=a%2Bb");
  });

  test("goes on after a full page that holds something unreadable", async () => {
    const broken = [...page(1, 199), { id: "no text", seq: 200 }];
    serve(Response.json({ results: broken }), Response.json({ results: page(201, 1) }));
    expect((await load()).map((m) => m.seq)).toEqual([...page(1, 199).map((m) => m.seq), 201]);
  });

  test("stops at a server that shows the same page for ever", async () => {
    const endless = vi.fn(async () => Response.json({ results: page(1, 200), next: 200 }));
    vi.stubGlobal("fetch", endless);
    await load(200);
    expect(endless).toHaveBeenCalledTimes(1);
  });

  test("an answer without results is an empty thread", async () => {
    serve(Response.json({ results: "none" }));
    expect(await load()).toEqual([]);
  });

  test("can be called off", async () => {
    const abort = new AbortController();
    vi.stubGlobal(
      "fetch",
      (_: string, { signal }: RequestInit) =>
        new Promise((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason))),
    );
    const loading = load(0, abort.signal);
    abort.abort();
    await expect(loading).rejects.toBe(abort.signal.reason);
  });
});

describe("refusals", () => {
  test("a conversation nobody has written in is empty", async () => {
    serve(new Response("", { status: 404 }));
    expect(await load()).toEqual([]);
  });

  test.each([
    [401, "You are not signed in any more. Sign in again."],
    [403, "This conversation belongs to somebody else. Start a new one."],
    [503, "The server answered 503. Try again in a moment."],
  ])("%i is told in words", async (status, words) => {
    serve(new Response("", { status }));
    await expect(load()).rejects.toThrow(words);
  });

  test("an answer that is no JSON is told in words", async () => {
    serve(new Response("<html>"));
    await expect(load()).rejects.toThrow("cannot be read");
  });
});

describe("why a handshake was refused", () => {
  const ask = () => whyRefused("http://h/messages/", params, never());

  test.each([401, 403])("%i is final", async (status) => {
    serve(new Response("", { status }));
    expect(await ask()).toMatchObject({ status, isFinal: true });
  });

  test.each([200, 404, 503])("%i is no matter of credentials", async (status) => {
    serve(new Response("{}", { status }));
    expect(await ask()).toBeNull();
  });

  test("nor is a server that is gone", async () => {
    vi.stubGlobal("fetch", async () => Promise.reject(new TypeError("Failed to fetch")));
    expect(await ask()).toBeNull();
  });
});
