import { createContext, useCallback, useContext, useMemo, useReducer, useRef, type ReactNode } from "react";

// The guide's hook: it holds where the room is, the token, and whether to be in it; `useCall` does the connecting.

export interface AgentConnection {
  /** LiveKit WebSocket URL, or "" while none is known. */
  readonly wsUrl: string;
  /** The token of the room, or "" while there is none. */
  readonly roomToken: string;
  /** Whether the page is, or is on its way to be, in the room. */
  readonly shouldConnect: boolean;
  /** Goes into the room that the last token is for. */
  readonly connect: (mode?: "voice") => Promise<void>;
  /** Leaves the room. */
  readonly disconnect: () => void;
  /** Takes a new token, and the address that it is for where that changes too. */
  readonly updateRoomToken: (token: string, wsUrl?: string) => void;
}

interface State {
  readonly wsUrl: string;
  readonly roomToken: string;
  readonly shouldConnect: boolean;
}

type Action =
  | { readonly type: "token"; readonly token: string; readonly wsUrl: string | undefined }
  | { readonly type: "connect" }
  | { readonly type: "disconnect" };

export function connectionReducer(state: State, action: Action): State {
  switch (action.type) {
    case "token":
      return { ...state, roomToken: action.token, wsUrl: action.wsUrl ?? state.wsUrl };
    case "connect":
      return { ...state, shouldConnect: true };
    case "disconnect":
      return { ...state, shouldConnect: false, roomToken: "" };
  }
}

const AgentConnectionContext = createContext<AgentConnection | null>(null);

export function AgentConnectionProvider({ wsUrl = "", children }: { wsUrl?: string; children: ReactNode }) {
  const [state, dispatch] = useReducer(connectionReducer, { wsUrl, roomToken: "", shouldConnect: false });
  const token = useRef("");

  const updateRoomToken = useCallback((next: string, nextUrl?: string) => {
    token.current = next;
    dispatch({ type: "token", token: next, wsUrl: nextUrl });
  }, []);
  const connect = useCallback(async () => {
    if (!token.current) throw new Error("There is no room token yet: call updateRoomToken first.");
    dispatch({ type: "connect" });
  }, []);
  const disconnect = useCallback(() => {
    token.current = "";
    dispatch({ type: "disconnect" });
  }, []);

  const value = useMemo(
    () => ({ ...state, connect, disconnect, updateRoomToken }),
    [state, connect, disconnect, updateRoomToken],
  );
  return <AgentConnectionContext.Provider value={value}>{children}</AgentConnectionContext.Provider>;
}

export function useAgentConnection(): AgentConnection {
  const connection = useContext(AgentConnectionContext);
  if (!connection) throw new Error("useAgentConnection needs an AgentConnectionProvider around it.");
  return connection;
}
