// @vitest-environment node
import { describe, expect, test, vi } from "vitest";
import { jsonBody, readObject, Refused, refusal, request, TIMEOUT_MS, Unreachable } from "./http";

const serve = (answer: (url: string, init: RequestInit) => Promise<Response>) => vi.stubGlobal("fetch", vi.fn(answer));
const untilCalledOff = (_: string, { signal }: RequestInit) =>
  new Promise<Response>((_resolve, reject) => signal?.addEventListener("abort", () => reject(signal.reason)));

describe("a request", () => {
  test("gives the answer, whatever its status", async () => {
    serve(async () => new Response("", { status: 500 }));
    expect((await request("/x", "Gone.")).status).toBe(500);
  });

  test("to a server that is gone is told in the words given", async () => {
    serve(async () => Promise.reject(new TypeError("Failed to fetch")));
    await expect(request("/x", "Gone.")).rejects.toThrow(new Unreachable("Gone."));
  });

  test("gives up after 15 s", async () => {
    const limit = new AbortController();
    const timeout = vi.spyOn(AbortSignal, "timeout").mockReturnValue(limit.signal);
    serve(untilCalledOff);
    const asked = request("/x", "Gone.");
    limit.abort();
    await expect(asked).rejects.toThrow(new Unreachable("Gone."));
    expect(timeout).toHaveBeenCalledWith(TIMEOUT_MS);
  });

  test("that is called off fails with what it was called off with", async () => {
    serve(untilCalledOff);
    const abort = new AbortController();
    const asked = request("/x", "Gone.", { signal: abort.signal });
    abort.abort();
    await expect(asked).rejects.toBe(abort.signal.reason);
  });

  test("carries JSON", async () => {
    serve(async (_, init) => Response.json({ method: init.method, body: init.body }));
    expect(await readObject(await request("/x", "", jsonBody({ a: 1 })))).toEqual({ method: "POST", body: '{"a":1}' });
  });
});

test.each(["", "<html>", "[]", "null", "5"])("%j is no answer that can be read", async (body) => {
  await expect(readObject(new Response(body))).rejects.toThrow("cannot be read");
});

test("a refusal tells what the server says about it", async () => {
  const error = { code: "livekit_not_set", message: "LIVEKIT_URL must be set" };
  const told = await refusal(Response.json({ error }, { status: 503 }));
  expect(told.message).toBe("The server answered 503: LIVEKIT_URL must be set. Try again in a moment.");
  for (const body of ["", "<html>", "null", "5", '{"error":"x"}', '{"error":{"message":5}}']) {
    expect((await refusal(new Response(body, { status: 503 }))).message).toBe(new Refused(503).message);
  }
});

test("a refusal has words that say what to do", () => {
  expect(new Refused(401).message).toBe("You are not signed in any more. Sign in again.");
  expect(new Refused(503).message).toContain("503");
  expect([401, 403, 404, 503].map((status) => new Refused(status).isFinal)).toEqual([true, true, false, false]);
});
