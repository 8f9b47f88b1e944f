import { useEffect, useRef, useState } from "react";
import type { ShownMessage } from "../chat/thread";
import { announcement } from "./words";

const MOST = 5; // messages at a time; after a long absence the rest is there to be read

interface AnnouncerProps {
  readonly messages: readonly ShownMessage[];
  /** Whether the history has been read: what stood there before is not news. */
  readonly loaded: boolean;
}

/** Tells screen readers of each new message once, when it is final. */
export function Announcer({ messages, loaded }: AnnouncerProps) {
  const known = useRef<Set<string> | null>(null);
  const [fresh, setFresh] = useState<readonly ShownMessage[]>([]);

  useEffect(() => {
    if (!loaded) return;
    if (known.current) {
      const { current } = known;
      const added = messages.filter((message) => !current.has(message.key));
      if (added.length > 0) setFresh(added.slice(-MOST));
    }
    known.current = new Set(messages.map((message) => message.key));
  }, [messages, loaded]);

  return (
    <div className="visually-hidden" role="log" aria-label="New messages">
      {fresh.map((message) => (
        <p key={message.key}>{announcement(message)}</p>
      ))}
    </div>
  );
}
