package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"testing"
	"time"
)

func TestRunServesUntilItIsToldToStop(t *testing.T) {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	lines, log := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", newLogger(log)) }()

	var started logLine
	decoder := json.NewDecoder(bufio.NewReader(lines))
	if err := decoder.Decode(&started); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, io.MultiReader(decoder.Buffered(), lines)) }()
	resp, err := http.Get("http://" + started.Text + "/api/system/status")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()

	stop()

	select {
	case err := <-ended:
		if err != nil {
			t.Errorf("run = %v, want a clean end", err)
		}
	case <-time.After(longBudget):
		t.Error("run went on")
	}
}

func TestRunFailsOnAnAddressInUse(t *testing.T) {
	taken := listen(t)
	defer taken.Close()

	err := run(context.Background(), hostPort(taken), newLogger(io.Discard))

	if err == nil {
		t.Fatal("run succeeded")
	}
	expect(t, err.Error(), "listen tcp "+hostPort(taken)+": bind: address already in use")
}
