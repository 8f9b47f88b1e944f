import {
  ConnectionState,
  Room,
  RoomEvent,
  Track,
  type Participant,
  type RemoteTrack,
  type TrackPublication,
} from "livekit-client";
import type { CallEvent } from "./callState";
import { AGENT_GONE, AGENT_LATE, describeConnect, describeEnd, describeMicrophone } from "./words";

// Gain is controlled once, by the worker: with the browser's control as well, the first words of an utterance were
// misheard (a word error rate of 28 % instead of 0-6 % on one of the recordings in tests/audio).
const CAPTURE = { echoCancellation: true, noiseSuppression: true, autoGainControl: false };
/** An agent that is not there for this long is missed in words. */
export const AGENT_TIMEOUT_MS = 15_000;
/** A browser that takes longer for the microphone asks the person. */
export const ASKING_MS = 800;
const AGENT_STATE = "lk.agent.state";

export interface RoomOptions {
  readonly url: string;
  readonly token: string;
  readonly muted: boolean;
}

export interface RoomListener {
  /** The room is entered. */
  readonly joined: () => void;
  readonly tell: (event: CallEvent) => void;
  /** Whoever ended it, the room is left; with words unless that was us. */
  readonly ended: (words: string | null) => void;
}

/** One stay in a LiveKit room: its microphone, the agent's sound and state. Silent once it was left. */
export class RoomSession {
  readonly room = new Room({
    audioCaptureDefaults: CAPTURE,
    // A reload must not count as hanging up: the agent waits a while for the page to come back.
    disconnectOnPageLeave: false,
    adaptiveStream: false,
    dynacast: false,
  });
  private over = false;
  private agentCame = false;
  private agentTimer: ReturnType<typeof setTimeout> | undefined;
  private askingTimer: ReturnType<typeof setTimeout> | undefined;
  private readonly sounds = new Set<HTMLMediaElement>();

  constructor(
    private readonly options: RoomOptions,
    private readonly listener: RoomListener,
  ) {
    this.room
      .on(RoomEvent.TrackSubscribed, this.play)
      .on(RoomEvent.TrackUnsubscribed, this.silence)
      .on(RoomEvent.ParticipantConnected, this.showAgent)
      .on(RoomEvent.ParticipantDisconnected, this.showAgent)
      .on(RoomEvent.ParticipantAttributesChanged, this.showAgent)
      .on(RoomEvent.TrackMuted, this.showMicrophone)
      .on(RoomEvent.TrackUnmuted, this.showMicrophone)
      .on(RoomEvent.LocalTrackUnpublished, this.showMicrophone)
      .on(RoomEvent.AudioPlaybackStatusChanged, this.showSound)
      .on(RoomEvent.ConnectionStateChanged, this.showConnection)
      .on(RoomEvent.Disconnected, (reason) => this.end(describeEnd(reason)));
  }

  /** Enters the room and turns the microphone on; what goes wrong is told to the listener. */
  async enter(): Promise<void> {
    try {
      await this.room.connect(this.options.url, this.options.token);
    } catch (problem) {
      return this.end(describeConnect(problem));
    }
    if (this.over) return void this.room.disconnect();
    this.listener.joined();
    this.missAgent();
    this.showAgent();
    this.showSound();
    await this.setMuted(this.options.muted);
  }

  /** Turns the microphone off or on; returns whether that worked. */
  async setMuted(muted: boolean): Promise<boolean> {
    if (!muted) this.askingTimer ??= setTimeout(() => this.tell({ type: "askingMicrophone" }), ASKING_MS);
    try {
      await this.room.localParticipant.setMicrophoneEnabled(!muted);
      this.tell({ type: "microphone", muted });
      return true;
    } catch (problem) {
      this.tell({ type: "microphone", muted: true });
      this.tell({ type: "problem", problem: { about: "microphone", words: describeMicrophone(problem) } });
      return false;
    } finally {
      clearTimeout(this.askingTimer);
      this.askingTimer = undefined;
    }
  }

  /** Leaves the room; nothing is told any more. */
  leave(): void {
    this.over = true;
    clearTimeout(this.agentTimer);
    clearTimeout(this.askingTimer);
    for (const element of this.sounds) element.remove();
    this.sounds.clear();
    void this.room.disconnect();
  }

  private tell(event: CallEvent): void {
    if (!this.over) this.listener.tell(event);
  }

  private end(words: string | null): void {
    if (!this.over) this.listener.ended(words);
  }

  private missAgent(): void {
    clearTimeout(this.agentTimer);
    const words = this.agentCame ? AGENT_GONE : AGENT_LATE;
    this.agentTimer = setTimeout(
      () => this.tell({ type: "problem", problem: { about: "agent", words } }),
      AGENT_TIMEOUT_MS,
    );
  }

  private readonly showAgent = (): void => {
    const agent = findAgent(this.room);
    if (agent) {
      this.agentCame = true;
      clearTimeout(this.agentTimer);
      this.agentTimer = undefined;
    } else if (this.agentCame && this.agentTimer === undefined) {
      this.missAgent();
    }
    this.tell({ type: "agent", state: agent ? (agent.attributes[AGENT_STATE] ?? "joining") : "" });
  };

  // The browser can take the microphone away, and a headset has a button of its own.
  private readonly showMicrophone = (_: TrackPublication, participant: Participant): void => {
    const { localParticipant } = this.room;
    if (participant !== localParticipant) return;
    this.tell({ type: "microphone", muted: !localParticipant.isMicrophoneEnabled });
  };

  private readonly showSound = (): void => this.tell({ type: "sound", blocked: !this.room.canPlaybackAudio });

  private readonly showConnection = (state: ConnectionState): void => {
    if (state === ConnectionState.Connected) this.tell({ type: "connected", at: Date.now() });
    if (state === ConnectionState.Reconnecting || state === ConnectionState.SignalReconnecting) {
      this.tell({ type: "reconnecting" });
    }
  };

  private readonly play = (track: RemoteTrack): void => {
    if (track.kind !== Track.Kind.Audio) return;
    const element = track.attach();
    this.sounds.add(element);
    document.body.append(element);
  };

  private readonly silence = (track: RemoteTrack): void => {
    for (const element of track.detach()) {
      this.sounds.delete(element);
      element.remove();
    }
  };
}

const findAgent = (room: Room): Participant | undefined =>
  [...room.remoteParticipants.values()].find((participant) => participant.isAgent);
