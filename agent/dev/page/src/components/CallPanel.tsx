import { useEffect, useRef, useState, type CSSProperties } from "react";
import { CHAT_WORDS, type ChatState } from "../chat/connection";
import type { CallPhase } from "../call/callState";
import { useAudioLevel } from "../call/useAudioLevel";
import type { Call } from "../call/useCall";
import type { Models } from "../config";
import { HangUpIcon, MicrophoneIcon, MutedIcon, PhoneIcon, SpeakerIcon } from "./icons";

interface CallPanelProps {
  readonly call: Call;
  readonly chatState: ChatState;
  /** A call of this conversation goes on, and this window is not in it. */
  readonly goesOn: boolean;
  readonly models: Models;
}

const ROOM_WORDS: Readonly<Record<CallPhase, string>> = {
  idle: "No call",
  starting: "Calling …",
  connected: "In a call",
  reconnecting: "Call is reconnecting …",
};

const AGENT_WORDS: Readonly<Record<string, string>> = {
  "": "Agent is not in the call",
  joining: "Agent is joining …",
  initializing: "Agent is joining …",
  idle: "Agent is there",
  listening: "Agent is listening",
  thinking: "Agent is thinking …",
  speaking: "Agent is speaking",
};

/** The call: start, mute and hang up, and in words how room, agent and chat are. */
export function CallPanel({ call, chatState, goesOn, models }: CallPanelProps) {
  const level = useAudioLevel(call.room);
  const style = { "--level": level.toFixed(2) } as CSSProperties;
  const agentWords = AGENT_WORDS[call.agentState] ?? `Agent is ${call.agentState}`;
  return (
    <aside className="call" aria-label="Call" data-phase={call.phase}>
      <div className="orb" data-agent={call.agentState} style={style} aria-hidden="true">
        <i />
      </div>
      <div className="states">
        <div className="room">
          <p role="status" data-testid="room-state">
            {ROOM_WORDS[call.phase]}
          </p>
          {call.since !== null && <Clock since={call.since} />}
        </div>
        {/* No live region: the agent is heard, and its state changes with every sentence. */}
        <p data-testid="agent-state" hidden={call.phase === "idle"}>
          {agentWords}
        </p>
        <p role="status" data-testid="chat-state" className={chatState === "connected" ? "well" : "unwell"}>
          {CHAT_WORDS[chatState]}
        </p>
      </div>
      <CallButtons call={call} />
      {goesOn && <p className="hint">A call of this conversation is going on. “Start call” takes it over.</p>}
      <dl className="models">
        <dt>Hears with</dt>
        <dd>{models.stt.join(", ")}</dd>
        <dt>Thinks with</dt>
        <dd>{models.llm.join(", ")}</dd>
        <dt>Speaks with</dt>
        <dd>{models.tts.join(", ")}</dd>
      </dl>
    </aside>
  );
}

function CallButtons({ call }: { call: Call }) {
  const calling = call.phase !== "idle";
  const mayMute = call.room !== null && !call.askingMicrophone;
  const first = useRef<HTMLButtonElement>(null);
  const hungUp = useRef(false);

  // The button that was pressed is gone then.
  useEffect(() => {
    if (!calling && hungUp.current) first.current?.focus();
    hungUp.current = false;
  }, [calling]);

  // "Start call" becomes "Mute microphone" in its place: the focus stays, and a second press ends no call.
  return (
    <div className="call-buttons">
      {calling ? (
        <button
          key="first"
          ref={first}
          type="button"
          className={call.muted ? "round muted" : "round"}
          onClick={mayMute ? call.toggleMute : undefined}
          aria-disabled={!mayMute}
        >
          {call.muted ? <MutedIcon /> : <MicrophoneIcon />}
          <span>{call.muted ? "Unmute microphone" : "Mute microphone"}</span>
        </button>
      ) : (
        <button key="first" ref={first} type="button" className="round primary" onClick={call.start}>
          <PhoneIcon />
          <span>Start call</span>
        </button>
      )}
      {calling && (
        <button
          type="button"
          className="round danger"
          onClick={() => {
            hungUp.current = true;
            call.hangUp();
          }}
        >
          <HangUpIcon />
          <span>Hang up</span>
        </button>
      )}
      {call.soundBlocked && (
        <button type="button" className="round" onClick={call.turnOnSound}>
          <SpeakerIcon />
          <span>Turn on sound</span>
        </button>
      )}
    </div>
  );
}

/** How long the call has lasted. */
function Clock({ since }: { since: number }) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const ticking = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(ticking);
  }, []);
  return (
    <span role="timer" aria-label="Duration of the call">
      {formatDuration(now - since)}
    </span>
  );
}

/** Minutes and seconds, and hours where there are any, of a duration in milliseconds. */
export function formatDuration(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const two = (value: number): string => String(value).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const minutes = Math.floor(seconds / 60) % 60;
  return `${hours ? `${hours}:${two(minutes)}` : minutes}:${two(seconds % 60)}`;
}
