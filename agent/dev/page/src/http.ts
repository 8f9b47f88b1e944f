// Requests with a time limit, whose failures are told in words.

export const TIMEOUT_MS = 15_000;

/** No answer has come: nobody listens there, or not in time. */
export class Unreachable extends Error {
  override readonly name = "Unreachable";
}

/** Something answered, and refused; `status` is the one of HTTP. */
export class Refused extends Error {
  override readonly name = "Refused";

  constructor(
    readonly status: number,
    /** What the server itself says about it. */
    reason = "",
  ) {
    super(describeRefusal(status, reason));
  }

  /** Whether asking again with the same credentials is of no use. */
  get isFinal(): boolean {
    return this.status === 401 || this.status === 403;
  }
}

/**
 * `fetch` that gives up after 15 s.
 *
 * Throws Unreachable, with the words given, when no answer comes; what `signal` was aborted with when the caller has
 * called it off.
 */
export async function request(url: string, words: string, init: RequestInit = {}): Promise<Response> {
  const limit = AbortSignal.timeout(TIMEOUT_MS);
  try {
    return await fetch(url, { ...init, signal: init.signal ? AbortSignal.any([init.signal, limit]) : limit });
  } catch (problem) {
    if (init.signal?.aborted) throw problem;
    throw new Unreachable(words);
  }
}

/** The JSON object of an answer; throws Error in words when it is none. */
export async function readObject(response: Response): Promise<Readonly<Record<string, unknown>>> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body !== "object" || body === null || Array.isArray(body)) {
    throw new Error("The server's answer cannot be read. Is something else listening on its port?");
  }
  return body as Record<string, unknown>;
}

/** The body of a POST with JSON. */
export const jsonBody = (body: unknown): RequestInit => ({
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify(body),
});

/** An answer that is a refusal; our server says why in `{"error":{"message"}}`. */
export async function refusal(response: Response): Promise<Refused> {
  const body = (await response.json().catch(() => null)) as { error?: { message?: unknown } } | null;
  const reason = body?.error?.message;
  return new Refused(response.status, typeof reason === "string" ? reason : "");
}

/** What a refused request means and what to do. */
function describeRefusal(status: number, reason: string): string {
  if (status === 401) return "You are not signed in any more. Sign in again.";
  if (status === 403) return "This conversation belongs to somebody else. Start a new one.";
  return `The server answered ${status}${reason ? `: ${reason}` : ""}. Try again in a moment.`;
}
