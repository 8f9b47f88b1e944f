import { useCallback, useEffect, useMemo, useRef } from "react";

export const BATCH_INTERVAL_MS = 100;

export type SendJson = (frame: unknown, keep: boolean) => void;

/**
 * The guide's batching: frames that come often leave together, at most every 100 ms, as `{batch: […]}`.
 * For typing notices only; a turn is never held back.
 */
export function useBatch(sendJsonMessage: SendJson) {
  const messageQueue = useRef<unknown[]>([]);
  const flushInterval = useRef<ReturnType<typeof setInterval> | null>(null);
  const send = useRef(sendJsonMessage);
  send.current = sendJsonMessage;

  const stop = useCallback(() => {
    if (flushInterval.current !== null) clearInterval(flushInterval.current);
    flushInterval.current = null;
  }, []);

  const queueMessage = useCallback(
    (message: unknown) => {
      messageQueue.current.push(message);
      flushInterval.current ??= setInterval(() => {
        if (messageQueue.current.length === 0) return stop();
        send.current({ batch: messageQueue.current }, false);
        messageQueue.current = [];
      }, BATCH_INTERVAL_MS);
    },
    [stop],
  );
  /** Forgets what has not left yet. */
  const clearQueue = useCallback(() => {
    messageQueue.current = [];
  }, []);

  useEffect(() => stop, [stop]);
  return useMemo(() => ({ queueMessage, clearQueue }), [queueMessage, clearQueue]);
}
