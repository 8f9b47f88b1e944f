import { useCallback, useEffect, useMemo, useRef, useState, type Dispatch } from "react";
import { connectionParams, conversationUrl, historyUrl, withQuery, type Identity } from "./connection";
import { typedMessageFrame, type ServerFrame } from "./frames";
import { whyRefused } from "./history";
import { keepUnsent, recallUnsent } from "./outbox";
import { emptyThread, threadReducer, type Thread, type ThreadAction } from "./thread";
import { useChatSocket } from "./useChatSocket";
import { useHistory } from "./useHistory";
import { useTypingNotice } from "./useTypingNotice";

/** Somebody whose typing is not announced again for this long has left. */
export const TYPING_EXPIRES_MS = 8000;

export interface ChatSettings {
  readonly chatApiUrl: string;
  readonly appType: string;
}

/** One conversation over the chat WebSocket: history, live frames, and messages that are sent until acknowledged. */
export function useChatThread(settings: ChatSettings, conversationId: string, identity: Identity) {
  const { chatApiUrl, appType } = settings;
  const { thread, latest, dispatch } = useThread(conversationId);

  const params = useMemo(() => connectionParams(identity, appType), [identity, appType]);
  const messagesUrl = historyUrl(chatApiUrl, conversationId);
  const socket = useChatSocket(withQuery(conversationUrl(chatApiUrl, conversationId), params), {
    onFrame: useCallback((frame: ServerFrame) => dispatch({ type: "frame", frame }), [dispatch]),
    onLost: useCallback(() => dispatch({ type: "disconnected" }), [dispatch]),
    whyRefused: useCallback((signal) => whyRefused(messagesUrl, params, signal), [messagesUrl, params]),
  });
  const { state, sendJsonMessage } = socket;
  const { notifyTyping, messageLeaves } = useTypingNotice(sendJsonMessage);

  // Unsent messages are sent again after the next connect, so the library's own queue is not used.
  const send = useCallback(
    (id: string, text: string) => sendJsonMessage(typedMessageFrame(id, text), false),
    [sendJsonMessage],
  );
  const { mayLeave, historyError } = useHistory(state === "connected", messagesUrl, params, latest, dispatch, send);

  useEffect(() => keepUnsent(conversationId, thread.unsent), [conversationId, thread.unsent]);
  useExpiry(thread, dispatch);

  const sendMessage = useCallback(
    (text: string) => {
      const id = crypto.randomUUID();
      messageLeaves();
      dispatch({ type: "typed", id, text });
      if (mayLeave.current) send(id, text);
    },
    [send, messageLeaves, dispatch, mayLeave],
  );
  const sendAgain = useCallback(
    (id: string) => {
      const unsent = latest.current.unsent.find((u) => u.id === id);
      dispatch({ type: "sentAgain", id });
      if (unsent && mayLeave.current) send(id, unsent.text);
    },
    [send, latest, dispatch, mayLeave],
  );
  return {
    ...socket,
    thread,
    historyError,
    sendMessage,
    sendAgain,
    discard: useCallback((id: string) => dispatch({ type: "discarded", id }), [dispatch]),
    notifyTyping,
    dismissError: useCallback(() => dispatch({ type: "dismissError" }), [dispatch]),
  };
}

/** The thread, and in `latest` what it will be in the next render: what is typed at any moment is known at once. */
function useThread(conversationId: string) {
  const [thread, setThread] = useState<Thread>(() => ({ ...emptyThread, unsent: recallUnsent(conversationId) }));
  const latest = useRef(thread);
  const dispatch = useCallback((action: ThreadAction) => {
    latest.current = threadReducer(latest.current, action);
    setThread(latest.current);
  }, []);
  return { thread, latest, dispatch };
}

/** Ends the typing notice of somebody who has left without a word. */
function useExpiry(thread: Thread, dispatch: Dispatch<ThreadAction>): void {
  const typing = thread.live.user;
  useEffect(() => {
    if (typing?.channel !== "chat") return;
    const expiry = setTimeout(() => dispatch({ type: "quiet", role: "user" }), TYPING_EXPIRES_MS);
    return () => clearTimeout(expiry);
  }, [typing, dispatch]);
}
