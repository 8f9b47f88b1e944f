import { act, renderHook } from "@testing-library/react";
import { describe, expect, test, vi } from "vitest";
import { useIdentity } from "./identity";

const serve = (response: () => Promise<Response>) => vi.stubGlobal("fetch", vi.fn(response));

describe("useIdentity", () => {
  test("a visitor stays the same visitor after a reload", () => {
    const first = renderHook(useIdentity).result.current.identity;
    expect(first).toMatchObject({ token: null, name: null, visitorId: expect.stringMatching(/./) });
    expect(renderHook(useIdentity).result.current.identity).toEqual(first);
  });

  test("who signed in stays signed in after a reload, until signing out", async () => {
    serve(async () => Response.json({ token: "jwt" }));
    const { result } = renderHook(useIdentity);
    await act(() => result.current.signIn("ana"));
    expect(renderHook(useIdentity).result.current.identity).toMatchObject({ token: "jwt", name: "ana" });
    act(() => result.current.signOut());
    expect(result.current.identity.token).toBeNull();
    expect(renderHook(useIdentity).result.current.identity.token).toBeNull();
  });

  test.each([
    ["a refused name", async () => new Response("", { status: 400 }), "That name cannot be used."],
    [
      "a server that is gone",
      async () => Promise.reject(new TypeError("Failed to fetch")),
      "The server cannot be reached.",
    ],
  ])("%s is told in words, and nobody is signed in", async (_, answer, words) => {
    serve(answer);
    const { result } = renderHook(useIdentity);
    await expect(result.current.signIn("ana")).rejects.toThrow(words);
    expect(result.current.identity.token).toBeNull();
  });

  test.each(["{not json", "null", "5"])("what is stored may be broken: %s", (stored) => {
    localStorage.setItem("signedIn", stored);
    expect(renderHook(useIdentity).result.current.identity.token).toBeNull();
  });
});
