import { useEffect, useId, useRef, useState, type FormEvent } from "react";

interface SignInProps {
  readonly signIn: (name: string) => Promise<void>;
  readonly disabled: boolean;
  readonly title: string | undefined;
}

/** A button that opens a small form; Escape, or a click elsewhere, closes it. */
export function SignIn({ signIn, disabled, title }: SignInProps) {
  const [open, setOpen] = useState(false);
  const frame = useRef<HTMLDivElement>(null);
  const opener = useRef<HTMLButtonElement>(null);

  useEffect(() => {
    if (!open) return;
    const onPointerDown = ({ target }: PointerEvent) => {
      if (!frame.current?.contains(target as Node)) setOpen(false);
    };
    document.addEventListener("pointerdown", onPointerDown);
    return () => document.removeEventListener("pointerdown", onPointerDown);
  }, [open]);

  return (
    <div
      ref={frame}
      className="sign-in"
      onKeyDown={(event) => {
        if (event.key !== "Escape" || !open) return;
        setOpen(false);
        opener.current?.focus();
      }}
    >
      <button
        ref={opener}
        type="button"
        className="quiet"
        disabled={disabled}
        title={title}
        aria-expanded={open}
        onClick={() => setOpen(!open)}
      >
        Sign in
      </button>
      {open && <SignInForm signIn={signIn} />}
    </div>
  );
}

function SignInForm({ signIn }: Pick<SignInProps, "signIn">) {
  const [name, setName] = useState("");
  const [error, setError] = useState("");
  const [waiting, setWaiting] = useState(false);
  const field = useId();

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (waiting || !name.trim()) return;
    setWaiting(true);
    setError("");
    try {
      await signIn(name.trim());
    } catch (problem) {
      setError(problem instanceof Error ? problem.message : "That did not work.");
    } finally {
      setWaiting(false);
    }
  };
  return (
    <form className="popover" aria-label="Sign in" onSubmit={submit}>
      <label htmlFor={field}>Your name</label>
      <div className="row">
        <input
          id={field}
          value={name}
          onChange={(event) => setName(event.target.value)}
          maxLength={64}
          required
          autoFocus
          autoComplete="username"
        />
        <button type="submit" className="primary">
          Sign in
        </button>
      </div>
      <p className="hint">For development: a name is enough. Signed-in people have their own conversations.</p>
      {error && (
        <p role="alert" className="field-error">
          {error}
        </p>
      )}
    </form>
  );
}
