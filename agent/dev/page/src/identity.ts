import { useCallback, useState } from "react";
import type { Identity } from "./chat/connection";
import { jsonBody, readObject, request } from "./http";

const VISITOR = "visitorId";
const SIGNED_IN = "signedIn";

function visitorId(): string {
  const known = localStorage.getItem(VISITOR);
  if (known) return known;
  const made = crypto.randomUUID();
  localStorage.setItem(VISITOR, made);
  return made;
}

function restore(): Identity {
  const visitor = { token: null, name: null, visitorId: visitorId() };
  try {
    const { token, name } = JSON.parse(localStorage.getItem(SIGNED_IN) ?? "{}") as Record<string, unknown>;
    return typeof token === "string" && typeof name === "string" ? { ...visitor, token, name } : visitor;
  } catch {
    return visitor;
  }
}

/** Who uses the page: an anonymous visitor, or somebody who signed in (development sign-in: a name is enough). */
export function useIdentity() {
  const [identity, setIdentity] = useState(restore);

  /** Throws an Error in words. */
  const signIn = useCallback(async (name: string): Promise<void> => {
    const response = await request("/api/dev/login", "The server cannot be reached.", jsonBody({ user: name }));
    if (!response.ok) throw new Error("That name cannot be used.");
    const { token } = await readObject(response);
    if (typeof token !== "string") throw new Error("The server gave no token.");
    localStorage.setItem(SIGNED_IN, JSON.stringify({ token, name }));
    setIdentity(restore());
  }, []);

  const signOut = useCallback((): void => {
    localStorage.removeItem(SIGNED_IN);
    setIdentity(restore());
  }, []);
  return { identity, signIn, signOut };
}
