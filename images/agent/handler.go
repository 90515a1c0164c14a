package main

import (
	"encoding/json"
	"net/http"
)

// Headers every answer carries (portainer/agent http/handler/handler.go,
// 2.23.0). An agent beside Podman reports Docker's platform: a server takes
// anything else for Kubernetes.
const (
	headerAgent      = "Portainer-Agent"
	headerAPIVersion = "Portainer-Agent-API-Version"
	headerPlatform   = "Portainer-Agent-Platform"

	agentVersion   = "2.23.0"
	apiVersion     = "2"
	platformDocker = "1"
)

// Headers of a signed request (portainer/agent agent.go, 2.23.0).
const (
	headerPublicKey = "X-PortainerAgent-PublicKey"
	headerSignature = "X-PortainerAgent-Signature"
)

// handler answers as an agent which knows no Portainer server yet.
type handler struct {
	log *logger
}

// ServeHTTP answers one request and logs it.
func (h *handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set(headerAgent, agentVersion)
	header.Set(headerAPIVersion, apiVersion)
	header.Set(headerPlatform, platformDocker)
	h.log.request(r, answer(w, r))
}

// answer writes the response and returns its status. A ping needs no signature
// (portainer/agent http/handler/ping, 2.23.0); everything else does.
func answer(w http.ResponseWriter, r *http.Request) int {
	switch {
	case r.URL.Path != "/ping":
		return forbid(w, refusal(r))
	case r.Method != http.MethodGet:
		w.Header().Set("Allow", http.MethodGet)
		w.WriteHeader(http.StatusMethodNotAllowed)
		return http.StatusMethodNotAllowed
	default:
		w.WriteHeader(http.StatusNoContent)
		return http.StatusNoContent
	}
}

// refusal says why a request is not let in
// (portainer/agent http/security/notary.go, 2.23.0).
func refusal(r *http.Request) string {
	if r.Header.Get(headerPublicKey) == "" || r.Header.Get(headerSignature) == "" {
		return "Missing request signature headers"
	}
	return "Invalid request signature"
}

// errorBody is the JSON of every failure (portainer pkg/libhttp/error, 2.23.0).
type errorBody struct {
	Message string `json:"message"`
	Details string `json:"details"`
}

// forbid refuses with the reason as message. The details are the same word for
// every reason, as in notary.go.
func forbid(w http.ResponseWriter, message string) int {
	body, err := json.Marshal(errorBody{Message: message, Details: "Unauthorized"})
	if err != nil {
		panic(err) // two strings: a mistake in the program
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(http.StatusForbidden)
	// A client which has gone away is no failure of the agent's.
	_, _ = w.Write(body)
	return http.StatusForbidden
}
