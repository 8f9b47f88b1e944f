import type { Room } from "livekit-client";
import { useCallback, useEffect, useReducer, useRef, useState, type Dispatch, type RefObject } from "react";
import { useAgentConnection } from "../hooks/useAgentConnection";
import { callReducer, noCall, type CallEvent, type CallState } from "./callState";
import { RoomSession } from "./roomSession";
import { fetchRoomToken } from "./roomToken";
import { forgetCall, knownRoom, leftCall, recallCall, rememberCall, type RunningCall } from "./runningCall";

export interface Call extends CallState {
  /** The room while the call is connected. */
  readonly room: Room | null;
  readonly start: () => Promise<void>;
  readonly hangUp: () => void;
  readonly toggleMute: () => Promise<void>;
  readonly turnOnSound: () => Promise<void>;
  readonly dismissError: () => void;
}

/** One call of a conversation: token, room, microphone, the agent's sound, and words for whatever goes wrong. */
export function useCall(conversation: string, params: Record<string, string>): Call {
  const { connect, disconnect, updateRoomToken } = useAgentConnection();
  const [state, tell] = useReducer(callReducer, noCall);
  const next = useRef<RunningCall>({ conversation, room: "", muted: false });
  const session = useRoom(next, tell);
  // Counts starts and hang-ups, so that a token that comes after hanging up starts nothing.
  const attempt = useRef(0);

  const begin = useCallback(
    async (room: string | null, resume: RunningCall | null) => {
      const mine = ++attempt.current;
      tell({ type: "starting" });
      try {
        const made = await fetchRoomToken(params, conversation, room);
        if (mine !== attempt.current) return;
        if (resume && !made.resumed) {
          // The call has ended meanwhile: a reload must not begin a new one by itself.
          forgetCall(conversation);
          return tell({ type: "ended", words: null });
        }
        next.current = { conversation, room: made.room, muted: resume?.muted ?? false };
        updateRoomToken(made.token, made.url);
        await connect("voice");
      } catch (problem) {
        if (mine !== attempt.current) return;
        tell({ type: "ended", words: problem instanceof Error ? problem.message : "The call cannot be started." });
      }
    },
    [params, conversation, connect, updateRoomToken],
  );

  useResume(conversation, begin);
  useEffect(
    () => () => {
      attempt.current += 1;
    },
    [],
  );

  const { muted } = state;
  return {
    ...state,
    room: session?.room ?? null,
    start: useCallback(() => begin(knownRoom(conversation), null), [begin, conversation]),
    hangUp: useCallback(() => {
      attempt.current += 1;
      forgetCall(conversation);
      tell({ type: "ended", words: null });
      disconnect();
    }, [conversation, disconnect]),
    toggleMute: useCallback(async () => {
      if (session && (await session.setMuted(!muted))) rememberCall({ ...next.current, muted: !muted });
    }, [session, muted]),
    turnOnSound: useCallback(async () => session?.room.startAudio(), [session]),
    dismissError: useCallback(() => tell({ type: "dismissed" }), []),
  };
}

/** In the room for as long as the connection is to be in one; the session is there once the room is entered. */
function useRoom(next: RefObject<RunningCall>, tell: Dispatch<CallEvent>): RoomSession | null {
  const { roomToken, wsUrl, shouldConnect, disconnect } = useAgentConnection();
  const [session, setSession] = useState<RoomSession | null>(null);

  useEffect(() => {
    if (!shouldConnect || !roomToken) return;
    const call = next.current;
    const entered = new RoomSession(
      { url: wsUrl, token: roomToken, muted: call.muted },
      {
        joined: () => {
          rememberCall(call);
          setSession(entered);
        },
        tell,
        ended: (words) => {
          leftCall();
          tell({ type: "ended", words });
          disconnect();
        },
      },
    );
    void entered.enter();
    return () => {
      setSession(null);
      entered.leave();
    };
  }, [shouldConnect, roomToken, wsUrl, next, tell, disconnect]);
  return session;
}

/** A reload in the middle of a call comes back to it, once. */
function useResume(conversation: string, begin: (room: string, call: RunningCall) => Promise<void>): void {
  const resumed = useRef(false);
  useEffect(() => {
    if (resumed.current) return;
    resumed.current = true;
    const running = recallCall(conversation);
    if (running) void begin(running.room, running);
  }, [conversation, begin]);
}
