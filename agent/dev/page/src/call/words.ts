// What goes wrong with a call, in words, and what to do about it. Pure.

import { ConnectionError, ConnectionErrorReason, DisconnectReason } from "livekit-client";

export const AGENT_LATE = "No agent has come to the call. Is the worker running? Hang up and try again.";
export const AGENT_GONE = "The agent has left the call. Hang up and call again, or go on by text.";

export function describeMicrophone(problem: unknown): string {
  const name = problem instanceof Error ? problem.name : "";
  if (name === "NotAllowedError") {
    return "The microphone was refused. Allow it in the browser's address bar, then unmute; you can type meanwhile.";
  }
  if (name === "NotFoundError") return "No microphone was found. Plug one in, then unmute; you can type meanwhile.";
  return "The microphone cannot be used. Close what else uses it, then unmute; you can type meanwhile.";
}

export function describeConnect(problem: unknown): string {
  if (problem instanceof ConnectionError && problem.reason === ConnectionErrorReason.NotAllowed) {
    return "The call server refused the room token. Call again; if that does not help, check LiveKit's keys.";
  }
  return "The call server cannot be reached. Is it running? Try again.";
}

export function describeEnd(reason: DisconnectReason | undefined): string | null {
  switch (reason) {
    case DisconnectReason.CLIENT_INITIATED:
      return null;
    case DisconnectReason.ROOM_DELETED:
    case DisconnectReason.PARTICIPANT_REMOVED:
      return "The agent has ended the call. You can go on by text, or call again.";
    case DisconnectReason.DUPLICATE_IDENTITY:
      return "The call goes on in another window.";
    default:
      return "The call was cut off. Call again to go on; nothing of the conversation is lost.";
  }
}
