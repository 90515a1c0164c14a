package main

import (
	"encoding/json"
	"io"
	stdlog "log"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// logger writes one JSON object a line, so that a test can read it back and
// nothing a client sends can forge a second line.
type logger struct {
	mu  sync.Mutex
	enc *json.Encoder
}

// logLine is one of them. Peer and Local are the two ends of the connection as
// the agent sees them: behind NAT or a tunnel they name whoever came last.
type logLine struct {
	Time   string `json:"time"`
	Level  string `json:"level"`
	Event  string `json:"event"`
	Text   string `json:"text,omitempty"`
	Peer   string `json:"peer,omitempty"`
	Local  string `json:"local,omitempty"`
	Method string `json:"method,omitempty"`
	Path   string `json:"path,omitempty"`
	Status int    `json:"status,omitempty"`
}

func newLogger(w io.Writer) *logger {
	enc := json.NewEncoder(w)
	enc.SetEscapeHTML(false) // texts are to be found by grep
	return &logger{enc: enc}
}

// event logs something which is not a request.
func (l *logger) event(level, event, text string) {
	l.write(logLine{Level: level, Event: event, Text: text})
}

// request logs a request and the status it was answered with.
func (l *logger) request(r *http.Request, status int) {
	line := logLine{
		Level:  "info",
		Event:  "request",
		Peer:   r.RemoteAddr,
		Method: r.Method,
		Path:   r.URL.Path,
		Status: status,
	}
	if local, ok := r.Context().Value(http.LocalAddrContextKey).(net.Addr); ok {
		line.Local = local.String()
	}
	l.write(line)
}

func (l *logger) write(line logLine) {
	line.Time = time.Now().UTC().Format(time.RFC3339Nano)
	l.mu.Lock()
	defer l.mu.Unlock()
	_ = l.enc.Encode(line) // there is nowhere left to report it
}

// std adapts l for what net/http has to say, such as a failed handshake.
func (l *logger) std(event string) *stdlog.Logger {
	return stdlog.New(eventWriter{l, event}, "", 0)
}

type eventWriter struct {
	log   *logger
	event string
}

func (w eventWriter) Write(p []byte) (int, error) {
	w.log.event("warn", w.event, strings.TrimRight(string(p), "\n"))
	return len(p), nil
}
