// Stands in for LiveKit's Room: a test plays the server, the agent and the microphone.

import { act } from "@testing-library/react";

type Listener = (...args: never[]) => void;

interface Plan {
  connect: () => Promise<void>;
  microphone: (on: boolean) => Promise<void>;
}

const works = (): Plan => ({ connect: async () => undefined, microphone: async () => undefined });

/** What the next rooms do; back to "all works" with `resetRooms`. */
export const plan: Plan = works();
export const rooms: FakeRoom[] = [];

export function resetRooms(): void {
  Object.assign(plan, works());
  rooms.length = 0;
}

export class FakeRoom {
  readonly remoteParticipants = new Map<string, { isAgent: boolean; attributes: Record<string, string> }>();
  /** Every setMicrophoneEnabled, in order. */
  readonly microphone: boolean[] = [];
  canPlaybackAudio = true;
  soundStarted = false;
  joinedWith: { url: string; token: string } | null = null;
  disconnects = 0;
  private readonly listeners = new Map<string, Set<Listener>>();

  readonly localParticipant = {
    isMicrophoneEnabled: false,
    setMicrophoneEnabled: async (on: boolean): Promise<void> => {
      this.microphone.push(on);
      await plan.microphone(on);
      this.localParticipant.isMicrophoneEnabled = on;
    },
  };

  constructor() {
    rooms.push(this);
  }

  on(event: string, listener: Listener): this {
    this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
    return this;
  }

  off(event: string, listener: Listener): this {
    this.listeners.get(event)?.delete(listener);
    return this;
  }

  async connect(url: string, token: string): Promise<void> {
    await plan.connect();
    this.joinedWith = { url, token };
    this.emit("connectionStateChanged", "connected");
  }

  async disconnect(): Promise<void> {
    this.disconnects += 1;
  }

  async startAudio(): Promise<void> {
    this.soundStarted = true;
    this.canPlaybackAudio = true;
    this.emit("audioPlaybackChanged");
  }

  emit(event: string, ...args: unknown[]): void {
    for (const listener of this.listeners.get(event) ?? []) (listener as (...all: unknown[]) => void)(...args);
  }

  /** Something happens in the room; the page has shown it when this is over. */
  happens(event: string, ...args: unknown[]): void {
    act(() => this.emit(event, ...args));
  }

  agentJoins(state: string): void {
    this.remoteParticipants.set("agent", { isAgent: true, attributes: { "lk.agent.state": state } });
    this.happens("participantConnected");
  }

  agentLeaves(): void {
    this.remoteParticipants.clear();
    this.happens("participantDisconnected");
  }

  /** The browser or a headset's button turns the microphone off or on. */
  microphoneTurns(on: boolean): void {
    this.localParticipant.isMicrophoneEnabled = on;
    this.happens(on ? "trackUnmuted" : "trackMuted", {}, this.localParticipant);
  }
}
