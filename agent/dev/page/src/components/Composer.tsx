import { useId, useState, type FormEvent, type KeyboardEvent, type RefObject } from "react";
import { SendIcon } from "./icons";

export const LONGEST_MESSAGE = 100_000; // characters; the chat server's own limit

interface ComposerProps {
  readonly onSend: (text: string) => void;
  /** The field has changed. */
  readonly onTyping: (text: string) => void;
  readonly calling: boolean;
  readonly field: RefObject<HTMLTextAreaElement | null>;
}

/** Where the person types: Enter sends, Shift and Enter make a new line. */
export function Composer({ onSend, onTyping, calling, field }: ComposerProps) {
  const [text, setText] = useState("");
  const complaint = useId();
  const message = text.trim();
  const excess = message.length - LONGEST_MESSAGE;
  const maySend = message !== "" && excess <= 0;

  const send = (event: FormEvent | KeyboardEvent) => {
    event.preventDefault();
    if (!maySend) return;
    onSend(message);
    setText("");
    field.current?.focus();
  };
  const onKeyDown = (event: KeyboardEvent) => {
    // Enter also ends the composition of a word, in Chinese for instance; Safari tells that by the key's code only.
    const composing = event.nativeEvent.isComposing || event.keyCode === 229;
    if (event.key === "Enter" && !event.shiftKey && !composing) send(event);
  };
  return (
    <form className="composer" onSubmit={send}>
      {excess > 0 && (
        <p id={complaint} role="alert" className="field-error">
          The message is {excess.toLocaleString()} characters too long.
        </p>
      )}
      <textarea
        ref={field}
        aria-label="Message"
        aria-invalid={excess > 0}
        aria-describedby={excess > 0 ? complaint : undefined}
        placeholder={calling ? "Talk, or type here …" : "Type a message …"}
        rows={1}
        dir="auto"
        enterKeyHint="send"
        value={text}
        onChange={(event) => {
          setText(event.target.value);
          onTyping(event.target.value);
        }}
        onKeyDown={onKeyDown}
      />
      <button type="submit" className="primary send" disabled={!maySend}>
        <SendIcon />
        <span>Send</span>
      </button>
    </form>
  );
}
