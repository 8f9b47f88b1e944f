import { jsonBody, readObject, refusal, request } from "../http";

export interface RoomToken {
  readonly token: string;
  readonly url: string;
  readonly room: string;
  /** Whether it is for the running call that was asked for. */
  readonly resumed: boolean;
}

/**
 * Asks for a token to a conversation's room; `room` names a running call to come back to.
 *
 * Throws an Error in words.
 */
export async function fetchRoomToken(
  params: Record<string, string>,
  conversation: string,
  room: string | null,
): Promise<RoomToken> {
  const response = await request(
    `/api/generate-room-token?${new URLSearchParams(params)}`,
    "The server cannot be reached, so no call can be started. Is it running?",
    jsonBody(room ? { conversation, room } : { conversation }),
  );
  if (!response.ok) throw new Error(`No room token: ${(await refusal(response)).message}`);
  const { token, url, room: made, resumed } = await readObject(response);
  if (typeof token !== "string" || typeof url !== "string" || typeof made !== "string") {
    throw new Error("No room token: the server's answer holds none.");
  }
  return { token, url, room: made, resumed: resumed === true };
}
