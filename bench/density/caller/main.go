// A light caller for `python -m bench density`: many people in many rooms, in one small process.
//
// It sends prepared Opus and looks at the packets that come back; it neither encodes nor decodes. The first line of its
// standard input is the plan, each further one a command; each line that it writes is an event. Tokens come by standard
// input, as others can read arguments.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"sync"

	"github.com/go-logr/logr"
	protoLogger "github.com/livekit/protocol/logger"
	lksdk "github.com/livekit/server-sdk-go/v2"
)

type command struct {
	Do     string `json:"do"` // join, talk or leave
	Call   string `json:"call"`
	Token  string `json:"token"`
	Script string `json:"script"`
	From   int    `json:"from"`
}

// event is something that happened; At is in seconds of CLOCK_MONOTONIC.
type event struct {
	Event  string  `json:"event"`
	Call   string  `json:"call"`
	At     float64 `json:"at"`
	Turn   string  `json:"turn,omitempty"`
	Reason string  `json:"reason,omitempty"`
}

type callers struct {
	url     string
	scripts map[string]*script
	writing sync.Mutex // holds out
	out     *json.Encoder
	mutex   sync.Mutex // holds calls
	calls   map[string]*call
}

func main() {
	lksdk.SetLogger(protoLogger.LogRLogger(logr.Discard()))
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run() error {
	lines := bufio.NewScanner(os.Stdin)
	lines.Buffer(nil, 1<<20)
	if !lines.Scan() {
		return fmt.Errorf("no plan came")
	}
	url, scripts, err := readScripts(lines.Bytes())
	if err != nil {
		return err
	}
	all := &callers{url: url, scripts: scripts, out: json.NewEncoder(os.Stdout), calls: map[string]*call{}}
	defer all.leave()
	all.say(event{Event: "ready", At: now()})
	for lines.Scan() {
		var told command
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			return fmt.Errorf("not a command: %w", err)
		}
		if err := all.do(told); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (all *callers) do(told command) error {
	if told.Do == "join" {
		script := all.scripts[told.Script]
		if script == nil {
			return fmt.Errorf("there is no script %q", told.Script)
		}
		go all.join(told, script)
		return nil
	}
	all.mutex.Lock()
	c := all.calls[told.Call]
	if told.Do == "leave" {
		delete(all.calls, told.Call)
	}
	all.mutex.Unlock()
	switch {
	case c == nil:
		return fmt.Errorf("there is no call %q", told.Call)
	case told.Do == "talk":
		c.talking.Store(true)
	case told.Do == "leave":
		c.leave()
		all.say(event{Event: "left", Call: told.Call, At: now()})
	default:
		return fmt.Errorf("nobody knows how to %q", told.Do)
	}
	return nil
}

func (all *callers) join(told command, script *script) {
	c, err := join(all.url, told.Token, told.Call, script, told.From, all.say)
	if err != nil {
		all.say(event{Event: "lost", Call: told.Call, At: now(), Reason: err.Error()})
		return
	}
	all.mutex.Lock()
	all.calls[told.Call] = c
	all.mutex.Unlock()
	all.say(event{Event: "joined", Call: told.Call, At: now()})
}

func (all *callers) leave() {
	all.mutex.Lock()
	defer all.mutex.Unlock()
	for _, c := range all.calls {
		c.leave()
	}
}

func (all *callers) say(e event) {
	all.writing.Lock()
	defer all.writing.Unlock()
	if err := all.out.Encode(e); err != nil {
		os.Exit(1) // nobody listens any more
	}
}
