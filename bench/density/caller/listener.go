package main

import "sync"

// An Opus packet of 20 ms with nothing to hear is 1 or 3 bytes (LiveKit's encoder has a variable bit rate and
// discontinuous transmission), one with a voice above 50. README.md says how this was compared with decoding.
const audibleBytes = 20

// Somebody who has not been audible for so long has stopped speaking.
const silentSeconds = 0.6

// listener tells from the sizes of packets when the agent begins and ends to speak.
type listener struct {
	mutex    sync.Mutex
	speaking bool
	last     float64
}

// hear takes a packet; began is true when it is the first audible one after a silence.
func (l *listener) hear(size int, at float64) (began bool) {
	if size < audibleBytes {
		return false
	}
	l.mutex.Lock()
	defer l.mutex.Unlock()
	began = !l.speaking
	l.speaking, l.last = true, at
	return began
}

// ended says when the agent was audible last, once it is silent.
func (l *listener) ended(at float64) (float64, bool) {
	l.mutex.Lock()
	defer l.mutex.Unlock()
	if !l.speaking || at-l.last < silentSeconds {
		return 0, false
	}
	l.speaking = false
	return l.last, true
}
