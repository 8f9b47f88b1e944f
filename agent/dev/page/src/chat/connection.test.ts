// @vitest-environment node
import { describe, expect, test } from "vitest";
import {
  CHAT_WORDS,
  chatState,
  connectionParams,
  conversationUrl,
  historyUrl,
  mayReconnect,
  reconnectInterval,
  withQuery,
} from "./connection";

describe("back-off", () => {
  test("doubles from 1 s and stays at 30 s", () => {
    expect([0, 1, 2, 3, 4, 5, 6].map(reconnectInterval)).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
  });
});

describe("mayReconnect", () => {
  test.each([
    ["a lost connection", 1006, false, true],
    ["a server that restarts", 1001, false, true],
    ["a deliberate close", 1000, false, false],
    ["a page that is gone", 1006, true, false],
  ])("%s", (_, code, didUnmount, expected) => {
    expect(mayReconnect(code, didUnmount)).toBe(expected);
  });
});

describe("who connects", () => {
  test("a signed-in user is named by the token alone", () => {
    expect(connectionParams({ token: "jwt", name: "ana", visitorId: "v1" }, "social")).toEqual({
      token: "jwt",
      app_type: "social",
    });
  });

  test("a visitor is named by the session", () => {
    expect(connectionParams({ token: null, name: null, visitorId: "v1" }, "social")).toEqual({
      session_user: "v1",
      app_type: "social",
    });
  });
});

describe("addresses", () => {
  test("the query is encoded", () => {
    expect(withQuery("ws://h/", { token: "a+b&c=d" })).toBe("ws://h/?token=a%2Bb%26c%3Dd");
  });

  test("the conversation stands in the path, encoded, with the slash at the end", () => {
    expect(conversationUrl("ws://h/ws/v1/", "a/b")).toBe("ws://h/ws/v1/conversation/a%2Fb/");
  });

  test.each([
    ["ws://h/ws/v1/", "http://h/ws/v1/conversation/42/messages/"],
    ["wss://h/ws/v1/", "https://h/ws/v1/conversation/42/messages/"],
  ])("history of %s is read over HTTP, safely where the chat is", (api, expected) => {
    expect(historyUrl(api, "42")).toBe(expected);
  });
});

describe("the state of the chat", () => {
  test.each([
    ["first", { open: false, wasOpen: false, gaveUp: false }, "Chat is connecting …"],
    ["open", { open: true, wasOpen: true, gaveUp: false }, "Chat is connected"],
    ["lost, and between two attempts", { open: false, wasOpen: true, gaveUp: false }, "Chat is reconnecting …"],
    ["given up", { open: false, wasOpen: true, gaveUp: true }, "Chat is disconnected"],
    ["given up before it was ever open", { open: false, wasOpen: false, gaveUp: true }, "Chat is disconnected"],
  ])("%s", (_, facts, words) => {
    expect(CHAT_WORDS[chatState(facts)]).toBe(words);
  });
});
