import { readObject, request } from "./http";

/** What answers in a call, by name; several are tried in order. */
export interface Models {
  readonly stt: readonly string[];
  readonly llm: readonly string[];
  readonly tts: readonly string[];
}

export interface Config {
  readonly chatApiUrl: string;
  readonly livekitUrl: string;
  readonly appType: string;
  readonly models: Models;
}

const asText = (value: unknown): string => (typeof value === "string" ? value : "");
const asTexts = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === "string") : [];

/** What the server says about itself. Throws an Error in words. */
export async function loadConfig(): Promise<Config> {
  const unreachable = "The server cannot be reached. Start it with `make dev`, then reload this page.";
  const response = await request("/api/config", unreachable);
  if (!response.ok) throw new Error(unreachable);
  const body = await readObject(response);
  if (!asText(body.chatApiUrl)) throw new Error("The server does not say where the chat is: set CHAT_API_URL.");
  const models = (body.models ?? {}) as Partial<Record<keyof Models, unknown>>;
  return {
    chatApiUrl: asText(body.chatApiUrl),
    livekitUrl: asText(body.livekitUrl),
    appType: asText(body.appType) || "social",
    models: { stt: asTexts(models.stt), llm: asTexts(models.llm), tts: asTexts(models.tts) },
  };
}
