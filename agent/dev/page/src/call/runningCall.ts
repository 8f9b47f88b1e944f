// The running call: of this tab, so that a reload comes back to it, and of any tab, so that a second one takes it over.
// A token is never stored.

const IN_THIS_TAB = "runningCall";
const roomKey = (conversation: string): string => `room:${conversation}`;

export interface RunningCall {
  readonly conversation: string;
  readonly room: string;
  readonly muted: boolean;
}

export function rememberCall(call: RunningCall): void {
  sessionStorage.setItem(IN_THIS_TAB, JSON.stringify(call));
  localStorage.setItem(roomKey(call.conversation), call.room);
}

/** This tab is no longer in the call, which may go on without it. */
export function leftCall(): void {
  sessionStorage.removeItem(IN_THIS_TAB);
}

/** The call was hung up: nobody comes back to it. */
export function forgetCall(conversation: string): void {
  leftCall();
  localStorage.removeItem(roomKey(conversation));
}

/** The call that was running in this tab when the page was left, or null. */
export function recallCall(conversation: string): RunningCall | null {
  try {
    const call = JSON.parse(sessionStorage.getItem(IN_THIS_TAB) ?? "null") as Partial<RunningCall> | null;
    if (call?.conversation !== conversation || typeof call.room !== "string") return null;
    return { conversation, room: call.room, muted: call.muted === true };
  } catch {
    return null;
  }
}

/** The room of the last call that was not hung up, in this tab or another; the server knows whether it still runs. */
export const knownRoom = (conversation: string): string | null => localStorage.getItem(roomKey(conversation));
