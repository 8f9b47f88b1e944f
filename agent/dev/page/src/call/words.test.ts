import { ConnectionError, DisconnectReason } from "livekit-client";
import { describe, expect, test } from "vitest";
import { describeConnect, describeEnd, describeMicrophone } from "./words";

const named = (name: string) => Object.assign(new Error(name), { name });

describe("the microphone", () => {
  test.each([
    [named("NotAllowedError"), "The microphone was refused."],
    [named("NotFoundError"), "No microphone was found."],
    [named("NotReadableError"), "The microphone cannot be used."],
    ["no error at all", "The microphone cannot be used."],
  ])("%s has its own words, and typing is offered", (problem, words) => {
    expect(describeMicrophone(problem)).toContain(words);
    expect(describeMicrophone(problem)).toContain("you can type meanwhile");
  });
});

describe("the way into the room", () => {
  test.each([
    ["a refused token", ConnectionError.notAllowed("invalid token", 401), "refused the room token"],
    ["a server that is gone", ConnectionError.serverUnreachable("no answer"), "cannot be reached"],
    ["anything else", new Error("?"), "cannot be reached"],
  ])("%s", (_, problem, words) => {
    expect(describeConnect(problem)).toContain(words);
  });
});

describe("the end", () => {
  test.each([
    [DisconnectReason.ROOM_DELETED, "The agent has ended the call."],
    [DisconnectReason.PARTICIPANT_REMOVED, "The agent has ended the call."],
    [DisconnectReason.DUPLICATE_IDENTITY, "The call goes on in another window."],
    [DisconnectReason.SERVER_SHUTDOWN, "The call was cut off."],
    [undefined, "The call was cut off."],
  ])("reason %s", (reason, words) => {
    expect(describeEnd(reason)).toContain(words);
  });

  test("that we wanted needs no words", () => {
    expect(describeEnd(DisconnectReason.CLIENT_INITIATED)).toBeNull();
  });
});
