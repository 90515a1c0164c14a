// Command agent is a stand-in for the Portainer agent 2.23.0, reduced to what a
// Portainer server meets when it connects: HTTPS with a certificate of the
// agent's own making, /ping, and a refusal of everything else.
//
// It implements no signed call, so no signature is ever valid and a request
// which carries one is refused like any other. Nor does it talk to a container
// engine, form a cluster, or shut its listener after 72 hours without a server.
//
// AGENT_HOST (default 0.0.0.0) and AGENT_PORT (default 9001) say where to
// listen, as they do for the real one (portainer agent.go, 2.23.0).
package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Defaults of the real agent (portainer/agent agent.go, 2.23.0).
const (
	defaultHost = "0.0.0.0"
	defaultPort = "9001"
)

// shutdownGrace is short: no answer of the agent takes long.
const shutdownGrace = 2 * time.Second

func main() {
	if len(os.Args) > 1 {
		fmt.Fprintln(os.Stderr, "agent: takes no arguments; set AGENT_HOST and AGENT_PORT")
		os.Exit(2)
	}

	// The process is PID 1 of its container, for which the kernel applies no
	// default action: without a handler SIGTERM would be ignored.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	log := newLogger(os.Stderr)
	address := net.JoinHostPort(envOr("AGENT_HOST", defaultHost), envOr("AGENT_PORT", defaultPort))
	if err := run(ctx, address, log); err != nil {
		log.event("error", "cannot serve", err.Error())
		os.Exit(1)
	}
}

// run serves on address until ctx ends, then lets requests in flight finish.
func run(ctx context.Context, address string, log *logger) error {
	// Before listening: a port which accepts and then is silent would look like
	// a fault of the network, and the testbed is there to tell those apart.
	cert, err := newCertificate(ownIP(), time.Now())
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	srv := newHTTPServer(cert, log)

	served := make(chan error, 1)
	go func() { served <- srv.ServeTLS(listener, "", "") }()
	log.event("info", "listening", listener.Addr().String())

	select {
	case err := <-served:
		return err
	case <-ctx.Done():
	}

	grace, cancel := context.WithTimeout(context.Background(), shutdownGrace)
	defer cancel()
	if err := srv.Shutdown(grace); err != nil {
		return err
	}
	if err := <-served; !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	log.event("info", "stopped", "")
	return nil
}

// newHTTPServer bounds what a client may cost.
func newHTTPServer(cert tls.Certificate, log *logger) *http.Server {
	return &http.Server{
		Handler: &handler{log: log},
		TLSConfig: &tls.Config{
			Certificates: []tls.Certificate{cert},
			MinVersion:   tls.VersionTLS12, // portainer/agent http/server.go, 2.23.0
		},
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.std("http"),
	}
}

func envOr(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
