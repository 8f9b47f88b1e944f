import type { RefObject } from "react";
import type { ChatState } from "../chat/connection";
import type { Call } from "../call/useCall";
import type { Refused } from "../http";
import { Notice } from "./Notice";

interface NoticesProps {
  readonly call: Pick<Call, "problem" | "askingMicrophone" | "dismissError">;
  readonly chat: {
    readonly state: ChatState;
    readonly failures: number;
    readonly refused: Refused | null;
    readonly historyError: string | null;
    readonly thread: { readonly error: string | null };
    readonly tryAgain: () => void;
    readonly dismissError: () => void;
  };
  /** Null for a visitor. */
  readonly signOut: (() => void) | null;
  readonly openNew: () => void;
  /** Gets the focus when a notice was dismissed, as its button is gone. */
  readonly giveFocusTo: RefObject<HTMLElement | null>;
}

/** Everything that is wrong right now, in words, above the field where the person types. */
export function Notices({ call, chat, signOut, openNew, giveFocusTo }: NoticesProps) {
  const dismiss = (run: () => void) => () => {
    run();
    giveFocusTo.current?.focus();
  };
  return (
    <div className="notices">
      {call.askingMicrophone && (
        <Notice tone="info" text="The browser asks for the microphone: allow it to talk. You can type meanwhile." />
      )}
      {call.problem && <Notice tone="error" text={call.problem.words} onDismiss={dismiss(call.dismissError)} />}
      <ChatNotice chat={chat} signOut={signOut} openNew={openNew} />
      {chat.thread.error && <Notice tone="error" text={chat.thread.error} onDismiss={dismiss(chat.dismissError)} />}
    </div>
  );
}

/** What is wrong with the connection to the chat: one thing at a time. */
function ChatNotice({ chat, signOut, openNew }: Pick<NoticesProps, "chat" | "signOut" | "openNew">) {
  const { state, failures, refused, historyError, tryAgain } = chat;
  if (refused) {
    const signInAgain = refused.status === 401 && signOut;
    const action = signInAgain ? { label: "Sign out", run: signOut } : { label: "New conversation", run: openNew };
    return <Notice tone="error" text={refused.message} actions={[action]} />;
  }
  const retry = [{ label: "Try now", run: tryAgain }];
  if (state === "disconnected") {
    const text = "The chat is disconnected. What you write is kept and sent when it is back.";
    return <Notice tone="error" text={text} actions={retry} />;
  }
  if (state !== "connected" && failures > 0) {
    const text = "The chat server cannot be reached. What you write is kept and sent when it is back.";
    return <Notice tone="error" text={text} actions={retry} />;
  }
  return state === "connected" && historyError ? <Notice tone="error" text={historyError} /> : null;
}
