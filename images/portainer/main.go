// Command portainer is a stand-in for the Portainer 2.23.0 server, reduced to
// the one exchange the testbed measures: "Add environment", Connect, and the
// ping of an agent which follows.
//
// What it keeps is what a user or an API client can observe of that exchange:
// the route and the form fields, the request which leaves the container, its
// three second budget, and the text which comes back when it fails. Error
// texts of net/http are passed on untouched; they are the measurement.
//
// What it leaves out:
//
//   - The signed Docker API calls which the product makes through the agent
//     once the ping has succeeded (api/docker/client/client.go). Here a
//     successful ping alone creates the environment.
//   - Authentication. Anybody who reaches the port may have the server connect
//     anywhere, so it belongs in a testbed and nowhere else.
//   - Environments other than agents, TLS files, and every other part of the
//     API. Environments are kept in memory and gone with the process.
//
// Usage:
//
//	portainer [-listen address]
//
// The address defaults to $PORTAINER_LISTEN, or else to :9000.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// version is the Portainer release whose behaviour is imitated.
const version = "2.23.0"

// shutdownGrace outlasts a ping in flight, so that its outcome still reaches
// whoever asked, and stays below the ten seconds an engine waits before SIGKILL.
const shutdownGrace = pingBudget + 2*time.Second

func main() {
	listen := flag.String("listen", envOr("PORTAINER_LISTEN", ":9000"), "`address` to serve plain HTTP on")
	flag.Parse()
	if flag.NArg() > 0 {
		fmt.Fprintf(os.Stderr, "portainer: unexpected argument %q\n", flag.Arg(0))
		flag.Usage()
		os.Exit(2)
	}

	// The process is PID 1 of its container, for which the kernel applies no
	// default action: without a handler SIGTERM would be ignored.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()

	log := newLogger(os.Stderr)
	if err := run(ctx, *listen, log); err != nil {
		log.event("error", "cannot serve", err.Error())
		os.Exit(1)
	}
}

// run serves on address until ctx ends, then lets requests in flight finish.
func run(ctx context.Context, address string, log *logger) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	app, err := newServer(pinger{budget: pingBudget}.ping, log)
	if err != nil {
		return err
	}
	srv := newHTTPServer(app, log)

	served := make(chan error, 1)
	go func() { served <- srv.Serve(listener) }()
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

func envOr(name, fallback string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return fallback
}
