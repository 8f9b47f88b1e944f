import debounce from "lodash.debounce";
import { useCallback, useEffect, useMemo, useRef } from "react";
import { typingFrame } from "./frames";
import { useBatch, type SendJson } from "./useBatch";

/** A pause this long between two keys makes the next one a new notice (guide, best practice 4). */
export const TYPING_DEBOUNCE_MS = 300;
/** Who types on and on is announced again, so that others can tell from somebody who has left. */
export const TYPING_REPEAT_MS = 3000;
/** After this long without a key nobody is typing any more. */
export const TYPING_OVER_MS = 4000;

/** Tells the others in the thread that this person is typing, debounced and batched, and when it is over. */
export function useTypingNotice(sendJsonMessage: SendJson) {
  const { queueMessage, clearQueue } = useBatch(sendJsonMessage);
  const active = useRef(false);

  const timers = useMemo(() => {
    const tell = (typing: boolean) => {
      active.current = typing;
      queueMessage(typingFrame(typing));
    };
    return {
      begin: debounce(() => tell(true), TYPING_DEBOUNCE_MS, {
        leading: true,
        trailing: false,
        maxWait: TYPING_REPEAT_MS,
      }),
      end: debounce(() => tell(false), TYPING_OVER_MS),
    };
  }, [queueMessage]);

  const stop = useCallback(() => {
    timers.begin.cancel();
    timers.end.cancel();
  }, [timers]);
  useEffect(() => stop, [stop]);

  /** The field has changed. */
  const notifyTyping = useCallback(
    (text: string) => {
      if (text.trim()) {
        timers.begin();
        timers.end();
      } else if (active.current) {
        timers.begin.cancel();
        timers.end();
        timers.end.flush();
      }
    },
    [timers],
  );
  /** A message leaves: it ends the typing by itself, and no notice may come after it. */
  const messageLeaves = useCallback(() => {
    stop();
    clearQueue();
    active.current = false;
  }, [stop, clearQueue]);

  return useMemo(() => ({ notifyTyping, messageLeaves }), [notifyTyping, messageLeaves]);
}
