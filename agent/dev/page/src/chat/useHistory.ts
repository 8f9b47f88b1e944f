import { useEffect, useRef, useState, type Dispatch, type RefObject } from "react";
import { Refused } from "../http";
import { reconnectInterval } from "./connection";
import { readHistory } from "./history";
import type { Thread, ThreadAction } from "./thread";

/**
 * Reads what the thread has and this page has not, each time that the connection opens, and then sends what is unsent.
 *
 * Returns whether typed messages may leave at once (before that they would overtake those), and what went wrong. A
 * history that cannot be read is asked for again, with the same back-off as the connection; nothing else waits for it.
 */
export function useHistory(
  open: boolean,
  url: string,
  params: Record<string, string>,
  thread: RefObject<Thread>,
  dispatch: Dispatch<ThreadAction>,
  send: (id: string, text: string) => void,
) {
  const [historyError, setHistoryError] = useState<string | null>(null);
  const mayLeave = useRef(false);

  useEffect(() => {
    if (!open) return;
    const abort = new AbortController();
    let retry: ReturnType<typeof setTimeout> | undefined;

    // What the last connection may have lost is sent again; the server stores an id once.
    const sendUnsent = () => {
      if (mayLeave.current) return;
      mayLeave.current = true;
      for (const { id, text, refused } of thread.current.unsent) if (!refused) send(id, text);
    };
    const read = async (attempt: number): Promise<void> => {
      try {
        for await (const messages of readHistory(url, params, thread.current.completeTo, abort.signal)) {
          dispatch({ type: "history", messages });
        }
        if (abort.signal.aborted) return;
        dispatch({ type: "historyRead" });
        setHistoryError(null);
      } catch (problem) {
        if (abort.signal.aborted) return;
        setHistoryError(problem instanceof Error ? problem.message : "The conversation cannot be read.");
        const isFinal = problem instanceof Refused && problem.isFinal;
        if (!isFinal) retry = setTimeout(() => void read(attempt + 1), reconnectInterval(attempt));
      }
      sendUnsent();
    };
    void read(0);
    return () => {
      abort.abort();
      clearTimeout(retry);
      mayLeave.current = false;
    };
  }, [open, url, params, thread, dispatch, send]);

  return { mayLeave, historyError };
}
