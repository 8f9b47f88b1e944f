import { useEffect, useMemo, useRef } from "react";
import { connectionParams, type Identity } from "../chat/connection";
import { useChatThread } from "../chat/useChatThread";
import { knownRoom } from "../call/runningCall";
import { useCall } from "../call/useCall";
import type { Config } from "../config";
import { CallPanel } from "./CallPanel";
import { Composer } from "./Composer";
import { Header } from "./Header";
import { Notices } from "./Notices";
import { Thread } from "./Thread";

interface ConversationProps {
  readonly config: Config;
  readonly conversation: string;
  readonly identity: Identity;
  readonly signIn: (name: string) => Promise<void>;
  readonly signOut: () => void;
  readonly openNew: () => void;
}

/** One conversation of one person: its thread, its call, and where to type. */
export function ConversationView({ config, conversation, identity, signIn, signOut, openNew }: ConversationProps) {
  const { chatApiUrl, appType } = config;
  const settings = useMemo(() => ({ chatApiUrl, appType }), [chatApiUrl, appType]);
  const params = useMemo(() => connectionParams(identity, appType), [identity, appType]);
  const chat = useChatThread(settings, conversation, identity);
  const call = useCall(conversation, params);
  const field = useRef<HTMLTextAreaElement>(null);
  const calling = call.phase !== "idle";
  useTitle(calling);

  return (
    <div className="app">
      <Header identity={identity} signIn={signIn} signOut={signOut} openNew={openNew} busy={calling} />
      <CallPanel
        call={call}
        chatState={chat.state}
        goesOn={!calling && chat.thread.agentAttached && knownRoom(conversation) !== null}
        models={config.models}
      />
      <main className="conversation">
        <Thread
          thread={chat.thread}
          calling={calling}
          connected={chat.state === "connected"}
          sendAgain={chat.sendAgain}
          discard={chat.discard}
        />
        <Notices
          call={call}
          chat={chat}
          signOut={identity.token ? signOut : null}
          openNew={openNew}
          giveFocusTo={field}
        />
        <Composer
          onSend={chat.sendMessage}
          onTyping={chat.notifyTyping}
          calling={call.phase === "connected"}
          field={field}
        />
      </main>
    </div>
  );
}

/** Tells among many tabs which one is in the call. */
function useTitle(calling: boolean): void {
  useEffect(() => {
    if (!calling) return;
    const { title } = document;
    document.title = `In a call · ${title}`;
    return () => {
      document.title = title;
    };
  }, [calling]);
}
