import { memo } from "react";
import type { Message } from "../chat/frames";
import type { Unsent } from "../chat/thread";
import { KeyboardIcon, MicrophoneIcon, NoteIcon } from "./icons";
import { timeOf } from "./time";
import { howWords, whoWords } from "./words";

interface MessageItemProps {
  readonly message: Message;
  /** The same speaker as the message before. */
  readonly follows: boolean;
}

/** One message: who, how (spoken, typed or a note, in words and as a sign), when, and whether it was cut short. */
export const MessageItem = memo(function MessageItem({ message, follows }: MessageItemProps) {
  const note = message.kind !== "speech";
  const spoken = !note && message.channel === "voice";
  const time = timeOf(message.createdAt);
  const classes = ["message", message.role, note ? "note" : spoken ? "spoken" : "typed", follows ? "follows" : ""];
  return (
    <article
      className={classes.filter(Boolean).join(" ")}
      aria-label={`${whoWords(message)}, ${howWords(message)}`}
      data-id={message.id ?? ""}
      data-role={message.role}
      data-channel={message.channel}
      data-interrupted={message.interrupted}
      data-kind={message.kind}
    >
      <div className="bubble">
        <p dir="auto">
          {message.text}
          {message.interrupted && (
            <>
              {" "}
              <span className="cut">— interrupted</span>
            </>
          )}
        </p>
      </div>
      <p className="meta">
        <span>{whoWords(message)}</span>
        <span className="how">
          {note ? <NoteIcon /> : spoken ? <MicrophoneIcon /> : <KeyboardIcon />}
          {howWords(message)}
        </span>
        {time && message.createdAt && <time dateTime={message.createdAt}>{time}</time>}
      </p>
    </article>
  );
});

interface UnsentItemProps {
  readonly message: Unsent;
  readonly connected: boolean;
  readonly sendAgain: (id: string) => void;
  readonly discard: (id: string) => void;
}

/** Typed here and not yet confirmed by the server. */
export const UnsentItem = memo(function UnsentItem({ message, connected, sendAgain, discard }: UnsentItemProps) {
  const { id, text, refused } = message;
  return (
    <div className={`message user typed unsent ${refused ? "refused" : ""}`} data-unsent={id}>
      <div className="bubble">
        <p dir="auto">{text}</p>
      </div>
      {refused ? (
        <div className="meta" role="alert">
          <p>Not sent: {refused}</p>
          <button type="button" className="link" onClick={() => sendAgain(id)}>
            Send again
          </button>
          <button type="button" className="link" onClick={() => discard(id)}>
            Discard
          </button>
        </div>
      ) : (
        <p className="meta">{connected ? "Sending …" : "Waits for the chat …"}</p>
      )}
    </div>
  );
});
