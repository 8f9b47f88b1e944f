import { RoomEvent, type Participant, type Room } from "livekit-client";
import { useEffect, useState } from "react";

/** How loud somebody in the room is right now, from 0 to 1, as LiveKit reports it a few times a second. */
export function useAudioLevel(room: Room | null): number {
  const [level, setLevel] = useState(0);
  useEffect(() => {
    if (!room) return setLevel(0);
    const show = (speakers: Participant[]) => setLevel(Math.max(0, ...speakers.map((s) => s.audioLevel)));
    room.on(RoomEvent.ActiveSpeakersChanged, show);
    return () => {
      room.off(RoomEvent.ActiveSpeakersChanged, show);
    };
  }, [room]);
  return level;
}
