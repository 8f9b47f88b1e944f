import { useCallback, useEffect, useMemo, useRef, useState } from "react";
import useWebSocketModule, { ReadyState } from "react-use-websocket";
import type { Refused } from "../http";
import { chatState, mayReconnect, RECONNECT_ATTEMPTS, reconnectInterval, type ChatState } from "./connection";
import { parseFrame, type ServerFrame } from "./frames";
import type { SendJson } from "./useBatch";

// The package is CommonJS: bundlers and test runners disagree about its default export.
const useWebSocket =
  typeof useWebSocketModule === "function"
    ? useWebSocketModule
    : (useWebSocketModule as unknown as { default: typeof useWebSocketModule }).default;

export interface SocketEvents {
  readonly onFrame: (frame: ServerFrame) => void;
  readonly onLost: () => void;
  /** Finds out why a handshake failed; null when it is no matter of credentials, or when called off. Never rejects. */
  readonly whyRefused: (signal: AbortSignal) => Promise<Refused | null>;
}

export interface ChatSocket {
  readonly state: ChatState;
  readonly sendJsonMessage: SendJson;
  /** How often in a row connecting has failed. */
  readonly failures: number;
  /** Why the server takes no connection of ours; then nobody tries any more. */
  readonly refused: Refused | null;
  readonly tryAgain: () => void;
}

interface Attempts {
  readonly wasOpen: boolean;
  readonly failures: number;
  readonly gaveUp: boolean;
  readonly refused: Refused | null;
}

const FRESH: Attempts = { wasOpen: false, failures: 0, gaveUp: false, refused: null };

/** The chat WebSocket, connected again as the guide says, and never when it is of no use. */
export function useChatSocket(url: string, { onFrame, onLost, whyRefused }: SocketEvents): ChatSocket {
  const [attempts, setAttempts] = useState(FRESH);
  const [connecting, setConnecting] = useState(true);
  const didUnmount = useRef(false);
  const opened = useRef(false);
  const { ask, callOff } = useAskWhy(whyRefused, (refused) => {
    setAttempts((before) => ({ ...before, gaveUp: true, refused }));
    setConnecting(false);
  });
  const socketOptions = {
    // Every frame counts: `onMessage` sees each one, where `lastMessage` only shows the state of a render.
    onMessage: (event: MessageEvent) => onFrame(parseFrame(event.data)),
    filter: () => false,
    onOpen: () => {
      opened.current = true;
      callOff();
      setAttempts({ ...FRESH, wasOpen: true });
    },
    onClose: (event: CloseEvent) => {
      if (didUnmount.current) return;
      onLost();
      const again = mayReconnect(event.code, false);
      const failed = opened.current ? 0 : 1;
      setAttempts((now) => ({ ...now, gaveUp: now.gaveUp || !again, failures: now.failures + failed }));
      if (!opened.current && again) ask();
      opened.current = false;
    },
    shouldReconnect: (event: CloseEvent) => mayReconnect(event.code, didUnmount.current),
    reconnectAttempts: RECONNECT_ATTEMPTS,
    reconnectInterval,
    onReconnectStop: () => setAttempts((before) => ({ ...before, gaveUp: true })),
  };
  const { sendJsonMessage, readyState } = useWebSocket(url, socketOptions, connecting);

  // The library counts its attempts anew only when it was told not to connect in between: "Try again" is off and on.
  useEffect(() => {
    if (!connecting && !attempts.refused) setConnecting(true);
  }, [connecting, attempts.refused]);

  useEffect(() => {
    didUnmount.current = false;
    return () => {
      didUnmount.current = true;
    };
  }, []);

  const tryAgain = useCallback(() => {
    setAttempts((before) => ({ ...FRESH, wasOpen: before.wasOpen }));
    setConnecting(false);
  }, []);

  const open = readyState === ReadyState.OPEN;
  const { wasOpen, failures, gaveUp, refused } = attempts;
  const state = chatState({ open, wasOpen, gaveUp });
  return useMemo(
    () => ({ state, sendJsonMessage, failures, refused, tryAgain }),
    [state, sendJsonMessage, failures, refused, tryAgain],
  );
}

/** Asks why a handshake failed, one question at a time; none stays open when the page goes. */
function useAskWhy(whyRefused: SocketEvents["whyRefused"], onRefused: (refused: Refused) => void) {
  const asked = useRef<AbortController | null>(null);
  const callOff = useCallback(() => asked.current?.abort(), []);
  const ask = () => {
    callOff();
    const mine = new AbortController();
    asked.current = mine;
    void whyRefused(mine.signal).then((refused) => {
      if (refused && !mine.signal.aborted) onRefused(refused);
    });
  };
  useEffect(() => callOff, [callOff]);
  return { ask, callOff };
}
