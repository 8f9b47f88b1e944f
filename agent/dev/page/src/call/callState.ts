// A call as the page shows it: a fold over what happens in the room. Pure.

export type CallPhase = "idle" | "starting" | "connected" | "reconnecting";

export interface CallProblem {
  /** What is wrong; a problem with the agent or the microphone goes away with its cause. */
  readonly about: "call" | "agent" | "microphone";
  readonly words: string;
}

export interface CallState {
  readonly phase: CallPhase;
  /** listening, thinking, speaking …, or "" while no agent is there. */
  readonly agentState: string;
  readonly muted: boolean;
  /** The browser asks the person whether the microphone may be used. */
  readonly askingMicrophone: boolean;
  readonly soundBlocked: boolean;
  /** When the call was connected, in milliseconds since 1970. */
  readonly since: number | null;
  readonly problem: CallProblem | null;
}

export type CallEvent =
  | { readonly type: "starting" }
  | { readonly type: "connected"; readonly at: number }
  | { readonly type: "reconnecting" }
  | { readonly type: "agent"; readonly state: string }
  | { readonly type: "microphone"; readonly muted: boolean }
  | { readonly type: "askingMicrophone" }
  | { readonly type: "sound"; readonly blocked: boolean }
  | { readonly type: "problem"; readonly problem: CallProblem }
  | { readonly type: "ended"; readonly words: string | null }
  | { readonly type: "dismissed" };

export const noCall: CallState = {
  phase: "idle",
  agentState: "",
  muted: false,
  askingMicrophone: false,
  soundBlocked: false,
  since: null,
  problem: null,
};

export function callReducer(call: CallState, event: CallEvent): CallState {
  switch (event.type) {
    case "starting":
      return { ...noCall, phase: "starting" };
    case "connected":
      return { ...call, phase: "connected", since: call.since ?? event.at };
    case "reconnecting":
      return { ...call, phase: "reconnecting" };
    case "agent":
      return { ...(event.state ? withoutProblem(call, "agent") : call), agentState: event.state };
    case "microphone":
      return {
        ...(event.muted ? call : withoutProblem(call, "microphone")),
        muted: event.muted,
        askingMicrophone: false,
      };
    case "askingMicrophone":
      return { ...call, askingMicrophone: true };
    case "sound":
      return { ...call, soundBlocked: event.blocked };
    case "problem":
      return { ...call, problem: event.problem };
    case "ended":
      return { ...noCall, problem: event.words ? { about: "call", words: event.words } : null };
    case "dismissed":
      return { ...call, problem: null };
  }
}

const withoutProblem = (call: CallState, about: CallProblem["about"]): CallState =>
  call.problem?.about === about ? { ...call, problem: null } : call;
