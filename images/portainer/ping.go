package main

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// pingBudget bounds the whole exchange: resolving, connecting, the handshake
// and the answer share it (portainer api/agent/version.go, 2.23.0).
const pingBudget = 3 * time.Second

// Headers of an agent's answer (portainer api/portainer.go, 2.23.0).
const (
	headerAgent         = "Portainer-Agent"
	headerAgentPlatform = "Portainer-Agent-Platform"
)

// agentInfo is what an agent tells about itself in the headers of a ping.
type agentInfo struct {
	platform int
	version  string
}

// pinger asks agents who they are, as GetAgentVersionAndPlatform does
// (portainer api/agent/version.go, 2.23.0).
type pinger struct {
	budget time.Duration
}

// ping sends GET <endpointURL>/ping and reads the agent's version and platform.
// The scheme becomes https whatever was given. Redirects are followed, since
// the product leaves the client's policy alone. skipVerify is what the form
// asks for; see [createPayload] for how the product arrives at it.
//
// An error of net/http is returned as it is: its text is shown to the user.
func (p pinger) ping(endpointURL string, skipVerify bool) (agentInfo, error) {
	target, err := pingURL(endpointURL)
	if err != nil {
		return agentInfo{}, err
	}
	// No context of the caller's: the product does not have one either, and a
	// browser which goes away must not turn a measurement into "canceled".
	req, err := http.NewRequest(http.MethodGet, target, nil)
	if err != nil {
		return agentInfo{}, err
	}

	transport := newTransport(skipVerify)
	// Each ping is a measurement and has to connect anew. DisableKeepAlives
	// would do as well, but adds "Connection: close" to what the agent sees.
	defer transport.CloseIdleConnections()

	client := &http.Client{Transport: transport, Timeout: p.budget}
	resp, err := client.Do(req)
	if err != nil {
		return agentInfo{}, err
	}
	defer resp.Body.Close()
	return readAgentInfo(resp)
}

// newTransport returns the bare transport of the product. It has no Proxy
// function, so HTTPS_PROXY, which Podman copies into containers, is not
// honoured. (Without TLS in the form the product falls back to
// http.DefaultTransport, which would honour it; not so here, where a ping always
// measures the path to the agent.)
func newTransport(skipVerify bool) *http.Transport {
	return &http.Transport{TLSClientConfig: &tls.Config{
		MinVersion:         tls.VersionTLS12, // portainer api/crypto/tls.go, 2.23.0
		InsecureSkipVerify: skipVerify,
	}}
}

// pingURL turns the address of an environment into the URL to ask. An address
// without a scheme gets "//", or its port would be taken for part of a path
// (portainer api/internal/url/url.go, 2.23.0).
func pingURL(endpointURL string) (string, error) {
	raw := endpointURL + "/ping"
	if !hasAnyPrefix(raw, "http", "tcp", "//", "unix:", "npipe:") {
		raw = "//" + raw
	}
	target, err := url.Parse(raw)
	if err != nil {
		return "", err
	}
	target.Scheme = "https"
	return target.String(), nil
}

// readAgentInfo judges an agent's answer. Texts, and the order in which they
// apply, are those of portainer api/agent/version.go, 2.23.0.
func readAgentInfo(resp *http.Response) (agentInfo, error) {
	if resp.StatusCode != http.StatusNoContent {
		return agentInfo{}, fmt.Errorf("Failed request with status %d", resp.StatusCode)
	}
	info := agentInfo{version: resp.Header.Get(headerAgent)}
	if info.version == "" {
		return agentInfo{}, errors.New("Version Header is missing")
	}
	platform := resp.Header.Get(headerAgentPlatform)
	if platform == "" {
		return agentInfo{}, errors.New("Agent Platform Header is missing")
	}
	var err error
	if info.platform, err = strconv.Atoi(platform); err != nil {
		return agentInfo{}, err
	}
	if info.platform == 0 {
		return agentInfo{}, errors.New("Agent platform is invalid")
	}
	return info, nil
}

func hasAnyPrefix(s string, prefixes ...string) bool {
	for _, prefix := range prefixes {
		if strings.HasPrefix(s, prefix) {
			return true
		}
	}
	return false
}
