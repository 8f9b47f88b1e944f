// @vitest-environment node
import { describe, expect, test, vi } from "vitest";
import { fetchRoomToken } from "./roomToken";

const answer = { token: "jwt", url: "ws://livekit", room: "r1", resumed: false };

function serve(response: () => Promise<Response>) {
  const fetch = vi.fn((_url: string, _init: RequestInit) => response());
  vi.stubGlobal("fetch", fetch);
  return () => fetch.mock.calls[0] ?? ["", {}];
}

describe("fetchRoomToken", () => {
  test("asks for the conversation's room with the credentials of the chat", async () => {
    const asked = serve(async () => Response.json(answer));
    expect(await fetchRoomToken({ token: "a+b", app_type: "social" }, "c1", null)).toEqual(answer);
    const [url, init] = asked();
    expect(url).toBe("/api/generate-room-token?token=a%2Bb&app_type=social");
    expect(init.method).toBe("POST");
    expect(JSON.parse(String(init.body))).toEqual({ conversation: "c1" });
  });

  test("names the room that a reload comes back to", async () => {
    const asked = serve(async () => Response.json(answer));
    await fetchRoomToken({}, "c1", "r1");
    expect(JSON.parse(String(asked()[1].body))).toEqual({ conversation: "c1", room: "r1" });
  });

  test.each([
    [401, "No room token: You are not signed in any more. Sign in again."],
    [403, "No room token: This conversation belongs to somebody else. Start a new one."],
    [500, "No room token: The server answered 500. Try again in a moment."],
  ])("%i is told in words", async (status, words) => {
    serve(async () => new Response("", { status }));
    await expect(fetchRoomToken({}, "c1", null)).rejects.toThrow(words);
  });

  test("a refusal that says what is missing passes that on", async () => {
    serve(async () => Response.json({ error: { message: "LIVEKIT_URL must be set" } }, { status: 503 }));
    await expect(fetchRoomToken({}, "c1", null)).rejects.toThrow("LIVEKIT_URL must be set");
  });

  test.each([["<html>"], ["{}"], ['{"token":5,"url":"ws://livekit","room":"r1"}']])(
    "an answer that is none: %s",
    async (body) => {
      serve(async () => new Response(body));
      await expect(fetchRoomToken({}, "c1", null)).rejects.toThrow();
    },
  );

  test("a server that knows nothing of running calls resumes none", async () => {
    serve(async () => Response.json({ token: "jwt", url: "ws://livekit", room: "r1" }));
    expect(await fetchRoomToken({}, "c1", "r1")).toEqual(answer);
  });

  test("a server that is gone is told in words", async () => {
    serve(async () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(fetchRoomToken({}, "c1", null)).rejects.toThrow(
      "The server cannot be reached, so no call can be started.",
    );
  });
});
