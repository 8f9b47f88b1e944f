package main

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/livekit/protocol/livekit"
	lksdk "github.com/livekit/server-sdk-go/v2"
	"github.com/pion/webrtc/v4"
	"github.com/pion/webrtc/v4/pkg/media"
)

const packetTime = 20 * time.Millisecond

// call is one person in one room.
type call struct {
	name     string
	script   *script
	from     int // the turn with which the script begins
	room     *lksdk.Room
	track    *lksdk.LocalTrack
	listener listener
	talking  atomic.Bool
	hungUp   atomic.Bool
	stop     context.CancelFunc
	say      func(event)
}

func join(url, token, name string, script *script, from int, say func(event)) (*call, error) {
	c := &call{name: name, script: script, from: from, say: say}
	callback := &lksdk.RoomCallback{
		OnDisconnectedWithReason: func(reason lksdk.DisconnectionReason) {
			if !c.hungUp.Load() {
				c.tell(event{Event: "lost", At: now(), Reason: string(reason)})
			}
		},
		ParticipantCallback: lksdk.ParticipantCallback{
			OnTrackSubscribed: func(track *webrtc.TrackRemote, _ *lksdk.RemoteTrackPublication, _ *lksdk.RemoteParticipant) {
				if track.Kind() == webrtc.RTPCodecTypeAudio {
					go c.listen(track)
				}
			},
		},
	}
	room, err := lksdk.ConnectToRoomWithToken(url, token, callback, lksdk.WithDisableRegionDiscovery())
	if err != nil {
		return nil, err
	}
	c.room = room
	opus := webrtc.RTPCodecCapability{MimeType: webrtc.MimeTypeOpus, ClockRate: 48000, Channels: 2}
	if c.track, err = lksdk.NewLocalTrack(opus); err != nil {
		room.Disconnect()
		return nil, err
	}
	publish := &lksdk.TrackPublicationOptions{Name: "microphone", Source: livekit.TrackSource_MICROPHONE}
	if _, err = room.LocalParticipant.PublishTrack(c.track, publish); err != nil {
		room.Disconnect()
		return nil, err
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	go c.speak(ctx)
	return c, nil
}

func (c *call) leave() {
	c.hungUp.Store(true)
	c.stop()
	c.room.Disconnect()
}

func (c *call) tell(e event) {
	e.Call = c.name
	c.say(e)
}

// speak sends a packet every 20 ms: the room tone, and the script from the moment at which `talking` is set.
func (c *call) speak(ctx context.Context) {
	ticker := time.NewTicker(packetTime)
	defer ticker.Stop()
	begun, at := false, 0
	byFirst, byLast := map[int]turn{}, map[int]turn{}
	for _, turn := range c.script.turns {
		byFirst[turn.First], byLast[turn.Last] = turn, turn
	}
	due := time.Now()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		// A tick that came late is made up for, as a sound card would.
		for ; !due.After(time.Now()); due = due.Add(packetTime) {
			if c.talking.Load() && !begun {
				begun, at = true, c.start()
			}
			if turn, ok := byFirst[at]; ok && begun {
				c.tell(event{Event: "turn_began", At: now(), Turn: turn.Name})
			}
			if err := c.track.WriteSample(media.Sample{Data: c.script.packets[at], Duration: packetTime}, nil); err != nil {
				c.tell(event{Event: "lost", At: now(), Reason: err.Error()})
				return
			}
			if turn, ok := byLast[at]; ok && begun {
				c.tell(event{Event: "turn_ended", At: now(), Turn: turn.Name})
			}
			at++
			if (begun && at == len(c.script.packets)) || (!begun && at == c.script.rest) {
				at = 0
			}
		}
		if last, ok := c.listener.ended(now()); ok {
			c.tell(event{Event: "agent_ended", At: last})
		}
	}
}

// start is the packet at which a call begins to talk: half a second before its first turn.
func (c *call) start() int {
	if len(c.script.turns) == 0 {
		return 0
	}
	return max(0, c.script.turns[c.from%len(c.script.turns)].First-25)
}

func (c *call) listen(track *webrtc.TrackRemote) {
	c.tell(event{Event: "agent_there", At: now()})
	for {
		packet, _, err := track.ReadRTP()
		if err != nil {
			return // the call has ended
		}
		at := now()
		if c.listener.hear(len(packet.Payload), at) {
			c.tell(event{Event: "agent_began", At: at})
		}
	}
}
