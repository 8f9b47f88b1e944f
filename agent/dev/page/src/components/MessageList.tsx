import { Fragment, memo } from "react";
import type { ShownMessage } from "../chat/thread";
import { MessageItem } from "./MessageItem";
import { dayOf, startsDay } from "./time";

/** The messages, with a line where a day begins; apart from the live captions, which change many times a second. */
export const MessageList = memo(function MessageList({ messages }: { messages: readonly ShownMessage[] }) {
  return messages.map((message, index) => {
    const before = messages[index - 1];
    const firstOfDay = startsDay(message.createdAt, before?.createdAt ?? null);
    return (
      <Fragment key={message.key}>
        {firstOfDay && <p className="day">{dayOf(message.createdAt)}</p>}
        <MessageItem message={message} follows={!firstOfDay && before?.role === message.role} />
      </Fragment>
    );
  });
});
