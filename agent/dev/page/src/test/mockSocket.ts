// Stands in for react-use-websocket, as the guide mocks it: it keeps the address and the options, and a test plays the
// server.

import { act } from "@testing-library/react";
import { useState } from "react";
import type { Options } from "react-use-websocket";

export const CONNECTING = 0;
export const OPEN = 1;
export const CLOSED = 3;

class MockSocket {
  url = "";
  options: Options = {};
  readyState = CONNECTING;
  /** Frames that reached the wire. */
  sent: unknown[] = [];
  /** For every frame handed over: whether the library may keep it until the next connect. */
  kept: (boolean | undefined)[] = [];
  /** Whether to connect, each time that the page changed its mind. */
  told: boolean[] = [];
  show: (readyState: number) => void = () => undefined;

  // The same function over every render, as in the library.
  readonly sendJsonMessage = (frame: unknown, keep?: boolean): void => {
    this.kept.push(keep);
    if (this.readyState === OPEN) this.sent.push(frame);
  };

  /** The connection is up; waits for what the page does then. */
  async open(): Promise<void> {
    await act(async () => {
      this.become(OPEN);
      this.options.onOpen?.(new Event("open"));
    });
  }

  /** The connection is gone; tells whether the library would connect again. */
  close(code: number): boolean {
    const event = new CloseEvent("close", { code });
    act(() => {
      this.options.onClose?.(event);
      this.become(CLOSED);
    });
    return this.options.shouldReconnect?.(event) ?? false;
  }

  /** The server sends text as it is. */
  receiveRaw(data: unknown): void {
    act(() => this.options.onMessage?.(new MessageEvent("message", { data })));
  }

  receive(frame: unknown): void {
    this.receiveRaw(JSON.stringify(frame));
  }

  /** The library has used up its attempts. */
  stop(): void {
    act(() => this.options.onReconnectStop?.(this.options.reconnectAttempts ?? 0));
  }

  private become(readyState: number): void {
    this.readyState = readyState;
    this.show(readyState);
  }
}

export let socket = new MockSocket();

export function resetSocket(): void {
  socket = new MockSocket();
}

export default function useWebSocket(url: string, options: Options, connect = true) {
  const [readyState, show] = useState(socket.readyState);
  socket.url = url;
  socket.options = options;
  socket.show = show;
  if (socket.told.at(-1) !== connect) socket.told.push(connect);
  return { sendJsonMessage: socket.sendJsonMessage, readyState, lastMessage: null };
}

export const ReadyState = { UNINSTANTIATED: -1, CONNECTING, OPEN, CLOSING: 2, CLOSED } as const;
