package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/pion/webrtc/v4/pkg/media/oggreader"
)

// turn says which packets of a script hold a sentence: the first and the last one with something audible.
type turn struct {
	Name  string `json:"name"`
	First int    `json:"first"`
	Last  int    `json:"last"`
}

// script is what one kind of caller sends over and over: a packet every 20 ms. The first `rest` of them are room tone.
type script struct {
	packets [][]byte
	rest    int
	turns   []turn
}

type scriptFile struct {
	File  string `json:"file"`
	Rest  int    `json:"rest"`
	Turns []turn `json:"turns"`
}

func readScripts(line []byte) (string, map[string]*script, error) {
	var plan struct {
		URL     string                `json:"url"`
		Scripts map[string]scriptFile `json:"scripts"`
	}
	if err := json.Unmarshal(line, &plan); err != nil {
		return "", nil, fmt.Errorf("the first line is no plan: %w", err)
	}
	scripts := map[string]*script{}
	for name, told := range plan.Scripts {
		packets, err := readPackets(told.File)
		if err != nil {
			return "", nil, fmt.Errorf("script %s: %w", name, err)
		}
		if told.Rest < 1 || told.Rest > len(packets) {
			return "", nil, fmt.Errorf("script %s has no room tone at its beginning", name)
		}
		scripts[name] = &script{packets, told.Rest, told.Turns}
	}
	return plan.URL, scripts, nil
}

// readPackets reads an Ogg Opus file with one packet on each page.
func readPackets(path string) ([][]byte, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	pages, _, err := oggreader.NewWith(file)
	if err != nil {
		return nil, err
	}
	var packets [][]byte
	for {
		payload, header, err := pages.ParseNextPage()
		if errors.Is(err, io.EOF) {
			return packets, nil
		}
		if err != nil {
			return nil, err
		}
		if header.GranulePosition != 0 || len(packets) > 0 { // the first page of all is the comment
			packets = append(packets, payload)
		}
	}
}
