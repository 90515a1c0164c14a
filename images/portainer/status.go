package main

import (
	"crypto/rand"
	"fmt"
	"net/http"
)

// systemStatus is what a readiness probe reads
// (portainer api/http/handler/system/status.go, 2.23.0).
type systemStatus struct {
	Version    string `json:"Version"`
	InstanceID string `json:"InstanceID"`
}

// showStatus answers GET /api/system/status, and /api/status, its former name.
func (s *server) showStatus(w http.ResponseWriter, _ *http.Request) *handlerError {
	writeJSON(w, http.StatusOK, systemStatus{Version: version, InstanceID: s.instanceID})
	return nil
}

// newInstanceID returns a random UUID (RFC 4122, version 4). It tells a
// restarted server, which has forgotten its environments, from the former one.
func newInstanceID() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	b[6] = b[6]&0x0f | 0x40
	b[8] = b[8]&0x3f | 0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:]), nil
}
