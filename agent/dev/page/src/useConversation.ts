import { useCallback, useEffect, useRef, useState } from "react";
import {
  conversationInAddress,
  lastConversation,
  newConversation,
  rememberConversation,
  showInAddress,
} from "./address";
import type { Identity } from "./chat/connection";

/**
 * The conversation on show. The address always names it, and Back returns to the one before; when somebody signs in or
 * out it is the last one of theirs.
 */
export function useConversation(identity: Identity) {
  const [shown, setShown] = useState(() => ({
    identity,
    conversation: conversationInAddress() ?? lastConversation(identity),
  }));
  const current = shown.identity === identity ? shown : { identity, conversation: lastConversation(identity) };
  if (current !== shown) setShown(current);

  const isStep = useRef(false);
  useEffect(() => {
    showInAddress(current.conversation, isStep.current);
    isStep.current = true;
    rememberConversation(current.identity, current.conversation);
  }, [current]);

  useEffect(() => {
    const onBack = () => setShown((now) => ({ ...now, conversation: conversationInAddress() ?? now.conversation }));
    addEventListener("popstate", onBack);
    return () => removeEventListener("popstate", onBack);
  }, []);

  const openNew = useCallback(() => setShown((now) => ({ ...now, conversation: newConversation() })), []);
  return { conversation: current.conversation, openNew };
}
