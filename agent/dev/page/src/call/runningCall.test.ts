import { describe, expect, test } from "vitest";
import { forgetCall, knownRoom, leftCall, recallCall, rememberCall } from "./runningCall";

const running = { conversation: "c1", room: "r1", muted: true };

describe("the running call", () => {
  test("is known again after a reload", () => {
    rememberCall(running);
    expect(recallCall("c1")).toEqual(running);
  });

  test("is none when there was none", () => {
    expect(recallCall("c1")).toBeNull();
  });

  test("is not taken for another conversation's", () => {
    rememberCall(running);
    expect(recallCall("c2")).toBeNull();
  });

  test("is gone once forgotten", () => {
    rememberCall(running);
    forgetCall("c1");
    expect(recallCall("c1")).toBeNull();
    expect(knownRoom("c1")).toBeNull();
  });

  test("that this window has left may go on in another", () => {
    rememberCall(running);
    leftCall();
    expect(recallCall("c1")).toBeNull();
    expect(knownRoom("c1")).toBe("r1");
    expect(knownRoom("c2")).toBeNull();
  });

  test.each(["{not json", "null", "5", '"c1"', '{"conversation":"c1"}', '{"conversation":"c1","room":7}'])(
    "what is stored may be broken: %s",
    (stored) => {
      rememberCall(running);
      const key = sessionStorage.key(0) ?? "";
      sessionStorage.setItem(key, stored);
      expect(recallCall("c1")).toBeNull();
    },
  );
});
