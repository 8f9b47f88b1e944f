import type { Identity } from "../chat/connection";
import { PlusIcon, WaveIcon } from "./icons";
import { SignIn } from "./SignIn";

interface HeaderProps {
  readonly identity: Identity;
  readonly signIn: (name: string) => Promise<void>;
  readonly signOut: () => void;
  readonly openNew: () => void;
  /** A call is running: who the person is and which conversation it is stay as they are. */
  readonly busy: boolean;
}

export function Header({ identity, signIn, signOut, openNew, busy }: HeaderProps) {
  const why = busy ? "Hang up first" : undefined;
  return (
    <header className="top">
      <h1>
        <WaveIcon /> Talk and type
      </h1>
      <div className="top-actions">
        <button type="button" className="quiet new" onClick={openNew} disabled={busy} title={why}>
          <PlusIcon />
          <span>New conversation</span>
        </button>
        {identity.token ? (
          <button type="button" className="quiet" onClick={signOut} disabled={busy} title={why}>
            Sign out <span className="name">{identity.name}</span>
          </button>
        ) : (
          <SignIn signIn={signIn} disabled={busy} title={why} />
        )}
      </div>
    </header>
  );
}
