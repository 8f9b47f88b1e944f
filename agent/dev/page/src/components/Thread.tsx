import { useCallback, useEffect, useLayoutEffect, useRef, useState } from "react";
import type { LiveTurn, Role } from "../chat/frames";
import type { Thread as ThreadState } from "../chat/thread";
import { Announcer } from "./Announcer";
import { UnsentItem } from "./MessageItem";
import { MessageList } from "./MessageList";
import { liveWords } from "./words";

const NEAR_THE_END = 80; // pixels

interface ThreadProps {
  readonly thread: ThreadState;
  readonly calling: boolean;
  /** Whether the chat is connected. */
  readonly connected: boolean;
  readonly sendAgain: (id: string) => void;
  readonly discard: (id: string) => void;
}

/** All messages in order, what is being said or typed right now, and a way back to the end. */
export function Thread({ thread, calling, connected, sendAgain, discard }: ThreadProps) {
  const { messages, unsent, live, loaded } = thread;
  const { scroller, onScroll, toEnd, unread } = useStayAtEnd(thread);
  const empty = messages.length === 0 && unsent.length === 0 && !live.user && !live.assistant;
  return (
    <div className="thread-frame">
      <section className="thread" ref={scroller} onScroll={onScroll} tabIndex={0} aria-label="Conversation">
        {empty && (loaded ? <Welcome calling={calling} /> : connected && <p className="loading">Loading …</p>)}
        <MessageList messages={messages} />
        {unsent.map((message) => (
          <UnsentItem
            key={message.id}
            message={message}
            connected={connected}
            sendAgain={sendAgain}
            discard={discard}
          />
        ))}
        {live.user && <LiveCaption role="user" live={live.user} />}
        {live.assistant && <LiveCaption role="assistant" live={live.assistant} />}
      </section>
      {unread && (
        <button type="button" className="to-end" onClick={toEnd}>
          New messages ↓
        </button>
      )}
      <Announcer messages={messages} loaded={loaded} />
    </div>
  );
}

/** Keeps the end in view while the person is there, whatever grows or shrinks; who reads further up is left alone. */
function useStayAtEnd({ messages, unsent, live }: ThreadState) {
  const scroller = useRef<HTMLElement>(null);
  const atEnd = useRef(true);
  const unsentBefore = useRef(0);
  const [unread, setUnread] = useState(false);

  const toEnd = useCallback(() => {
    scroller.current?.scrollTo({ top: scroller.current.scrollHeight });
    atEnd.current = true;
    setUnread(false);
  }, []);
  // Before the browser paints or tells of an earlier scrolling: that would look as if the person had gone up.
  useLayoutEffect(() => {
    const sentHere = unsent.length > unsentBefore.current;
    unsentBefore.current = unsent.length;
    if (atEnd.current || sentHere) toEnd();
    else setUnread(true);
  }, [messages, unsent, toEnd]);
  useLayoutEffect(() => {
    if (atEnd.current) toEnd();
  }, [live, toEnd]);
  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    // A keyboard on the screen, a notice or a longer text to type take room from the thread.
    const resized = new ResizeObserver(() => {
      if (atEnd.current) toEnd();
    });
    resized.observe(element);
    return () => resized.disconnect();
  }, [toEnd]);

  const onScroll = () => {
    const element = scroller.current;
    if (!element) return;
    atEnd.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR_THE_END;
    if (atEnd.current) setUnread(false);
  };
  return { scroller, onScroll, toEnd, unread };
}

function Welcome({ calling }: { calling: boolean }) {
  return (
    <div className="welcome">
      <div className="welcome-mark" aria-hidden="true">
        <i />
        <i />
        <i />
        <i />
        <i />
      </div>
      <h2>{calling ? "Say something, or type" : "Talk or type"}</h2>
      <p>
        It is all one conversation: what you say and what you write stand here together, and the agent remembers both.
      </p>
    </div>
  );
}

/** What is being said or thought right now. Screen readers get the final message instead of every word. */
function LiveCaption({ role, live }: { role: Role; live: LiveTurn }) {
  return (
    <div className={`message live ${role}`} aria-hidden="true" data-live={role}>
      <div className="bubble">
        {live.text ? (
          <p dir="auto">{live.text}</p>
        ) : (
          <span className="dots">
            <i />
            <i />
            <i />
          </span>
        )}
      </div>
      <p className="meta">{liveWords(role, live)}</p>
    </div>
  );
}
