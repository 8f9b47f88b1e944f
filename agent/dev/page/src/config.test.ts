// @vitest-environment node
import { describe, expect, test, vi } from "vitest";
import { loadConfig } from "./config";

const told = {
  chatApiUrl: "ws://h/ws/v1/",
  livekitUrl: "ws://livekit",
  appType: "sales",
  models: { stt: ["moonshine"], llm: ["large", "rules"], tts: ["hibari"] },
};
const serve = (answer: () => Promise<Response>) => vi.stubGlobal("fetch", vi.fn(answer));

describe("loadConfig", () => {
  test("reads what the server says; what it does not know is left out", async () => {
    serve(async () => Response.json({ ...told, colour: "red" }));
    expect(await loadConfig()).toEqual(told);
  });

  test("without an app type it is the guide's, and models that are no names are none", async () => {
    serve(async () => Response.json({ chatApiUrl: "ws://h/", models: { stt: "moonshine", llm: [5] } }));
    expect(await loadConfig()).toEqual({
      chatApiUrl: "ws://h/",
      livekitUrl: "",
      appType: "social",
      models: { stt: [], llm: [], tts: [] },
    });
  });

  test.each([
    ["a server that is gone", async () => Promise.reject(new TypeError("Failed to fetch")), "Start it with `make dev`"],
    ["a server that fails", async () => new Response("", { status: 500 }), "Start it with `make dev`"],
    ["something else on its port", async () => new Response("<html>"), "Is something else listening on its port?"],
    ["a server without a chat", async () => Response.json({}), "set CHAT_API_URL"],
  ])("%s is told in words", async (_, answer, words) => {
    serve(answer);
    await expect(loadConfig()).rejects.toThrow(words);
  });
});
