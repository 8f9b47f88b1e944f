import { readObject, Refused, refusal, request } from "../http";
import { parseMessage, type Message } from "./frames";

const PAGE = 200;
const UNREACHABLE = "The chat server cannot be reached. Is it running?";

/**
 * Everything in the thread after a place, page by page, oldest first.
 *
 * Throws Unreachable or Refused, in words.
 */
export async function* readHistory(
  url: string,
  params: Record<string, string>,
  after: number,
  signal: AbortSignal,
): AsyncGenerator<readonly Message[]> {
  for (let from = after; ;) {
    const query = new URLSearchParams({ ...params, after: String(from), limit: String(PAGE) });
    const response = await request(`${url}?${query}`, UNREACHABLE, { signal });
    if (response.status === 404) return; // nobody has written here yet, or the server keeps no history
    if (!response.ok) throw await refusal(response);
    const body = await readObject(response);
    const results: unknown[] = Array.isArray(body.results) ? body.results : [];
    const page = results.map(parseMessage).filter((m) => m !== null);
    yield page;
    const last = page.reduce((seq, m) => Math.max(seq, m.seq ?? 0), from);
    // A server may give out smaller pages than asked for; `next` says whether there is more.
    const more = "next" in body ? body.next !== null : results.length >= PAGE;
    if (!more || last <= from) return;
    from = last;
  }
}

/**
 * Why a WebSocket was refused: browsers do not tell, but the history asks for the same credentials.
 *
 * Returns null when it is no matter of credentials.
 */
export async function whyRefused(
  url: string,
  params: Record<string, string>,
  signal: AbortSignal,
): Promise<Refused | null> {
  const query = new URLSearchParams({ ...params, limit: "1" });
  const response = await request(`${url}?${query}`, UNREACHABLE, { signal }).catch(() => null);
  if (!response) return null;
  const refused = new Refused(response.status);
  return refused.isFinal ? refused : null;
}
