package main

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestMain sets a proxy which does not exist, before anything could make
// net/http read the environment: it does so once a process.
func TestMain(m *testing.M) {
	os.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	os.Exit(m.Run())
}

// peer is a TCP server on loopback which treats each connection as told. It
// counts them, which proves that a peer was met at all.
type peer struct {
	net.Listener
	mu    sync.Mutex
	conns []net.Conn
}

// newPeer listens on 127.0.0.1 until the test ends.
func newPeer(t *testing.T, serve func(net.Conn)) *peer {
	t.Helper()
	p := &peer{Listener: listen(t)}
	t.Cleanup(p.close)
	go func() {
		for {
			conn, err := p.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, conn)
			p.mu.Unlock()
			go serve(conn)
		}
	}()
	return p
}

func (p *peer) close() {
	p.Close()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, conn := range p.conns {
		conn.Close()
	}
}

func (p *peer) accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.conns)
}

// newAgent is an HTTPS server on 127.0.0.1 with a self-signed certificate.
func newAgent(t *testing.T, handle http.HandlerFunc) *httptest.Server {
	t.Helper()
	agent := httptest.NewUnstartedServer(handle)
	agent.Config.ErrorLog = newLogger(io.Discard).std("") // refused certificates are expected
	agent.StartTLS()
	t.Cleanup(agent.Close)
	return agent
}

// healthy answers like an agent of the product.
func healthy(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set(headerAgent, "2.23.0")
	w.Header().Set(headerAgentPlatform, "1")
	w.WriteHeader(http.StatusNoContent)
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

func hostPort(l net.Listener) string { return l.Addr().String() }

// longBudget is for pings which end by themselves, shortBudget for those which
// the budget has to end.
const (
	longBudget  = 10 * time.Second
	shortBudget = 200 * time.Millisecond
)

func pingError(t *testing.T, budget time.Duration, endpointURL string) string {
	t.Helper()
	info, err := pinger{budget}.ping(endpointURL, true)
	if err == nil {
		t.Fatalf("ping of %s succeeded with %+v, want an error", endpointURL, info)
	}
	return err.Error()
}

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

func TestPingReturnsTheVersionAndPlatformOfTheAgent(t *testing.T) {
	agent := newAgent(t, healthy)

	got, err := pinger{longBudget}.ping("tcp://"+hostPort(agent.Listener), true)

	if want := (agentInfo{platform: 1, version: "2.23.0"}); err != nil || got != want {
		t.Errorf("ping = %+v, %v, want %+v", got, err, want)
	}
}

func TestPingAsksForPingWithoutHeadersOfItsOwn(t *testing.T) {
	requests := make(chan *http.Request, 1)
	agent := newAgent(t, func(w http.ResponseWriter, r *http.Request) {
		requests <- r
		healthy(w, r)
	})

	if _, err := (pinger{longBudget}).ping("tcp://"+hostPort(agent.Listener), true); err != nil {
		t.Fatal(err)
	}

	r := <-requests
	expect(t, r.Method+" "+r.RequestURI+" "+r.Proto, "GET /ping HTTP/1.1")
	expect(t, fmt.Sprint(r.Header), "map[Accept-Encoding:[gzip] User-Agent:[Go-http-client/1.1]]")
}

func TestPingIsRefusedOnAnAddressNobodyListensOnBesideOneWhereSomebodyDoes(t *testing.T) {
	agent := newAgent(t, healthy) // on 127.0.0.1 only
	_, port, _ := net.SplitHostPort(hostPort(agent.Listener))

	got := pingError(t, longBudget, "tcp://127.0.0.2:"+port)

	expect(t, got, fmt.Sprintf(`Get "https://127.0.0.2:%[1]s/ping": dial tcp 127.0.0.2:%[1]s: connect: connection refused`, port))
	if _, err := (pinger{longBudget}).ping("tcp://127.0.0.1:"+port, true); err != nil {
		t.Errorf("the listener was not alive: %v", err)
	}
}

func TestPingOfASilentPeerExceedsTheBudget(t *testing.T) {
	silent := newPeer(t, func(net.Conn) {})
	started := time.Now()

	got := pingError(t, shortBudget, "tcp://"+hostPort(silent))

	expect(t, got, fmt.Sprintf(`Get "https://%s/ping": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, hostPort(silent)))
	if silent.accepted() != 1 {
		t.Errorf("the peer accepted %d connections, want 1", silent.accepted())
	}
	if took := time.Since(started); took < shortBudget || took > 10*shortBudget {
		t.Errorf("ping gave up after %v, its budget is %v", took, shortBudget)
	}
}

func TestTheBudgetIsTheProducts(t *testing.T) {
	expect(t, pingBudget.String(), "3s")
}

func TestPingOfAnAgentWhichNeverAnswersExceedsTheBudgetWithTheSameText(t *testing.T) {
	release := make(chan struct{})
	agent := newAgent(t, func(http.ResponseWriter, *http.Request) { <-release })
	t.Cleanup(func() { close(release) }) // runs before the agent's own clean-up

	got := pingError(t, shortBudget, "tcp://"+hostPort(agent.Listener))

	expect(t, got, fmt.Sprintf(`Get "https://%s/ping": context deadline exceeded (Client.Timeout exceeded while awaiting headers)`, hostPort(agent.Listener)))
}

func TestPingOfAPeerWhichClosesAfterTheClientHelloIsEOF(t *testing.T) {
	closing := newPeer(t, func(conn net.Conn) {
		// Nothing may be left unread, or the kernel resets instead of closing.
		header := make([]byte, 5)
		if _, err := io.ReadFull(conn, header); err == nil {
			_, _ = io.CopyN(io.Discard, conn, int64(header[3])<<8|int64(header[4]))
		}
		conn.Close()
	})

	got := pingError(t, longBudget, "tcp://"+hostPort(closing))

	expect(t, got, fmt.Sprintf(`Get "https://%s/ping": EOF`, hostPort(closing)))
}

func TestPingOfAPlainHTTPServerSaysSo(t *testing.T) {
	plain := httptest.NewServer(http.HandlerFunc(healthy))
	t.Cleanup(plain.Close)

	got := pingError(t, longBudget, "tcp://"+hostPort(plain.Listener))

	expect(t, got, fmt.Sprintf(`Get "https://%s/ping": http: server gave HTTP response to HTTPS client`, hostPort(plain.Listener)))
}

func TestPingOfAnSSHServerFindsNoTLSRecord(t *testing.T) {
	ssh := newPeer(t, func(conn net.Conn) { fmt.Fprint(conn, "SSH-2.0-OpenSSH_9.2\r\n") })

	got := pingError(t, longBudget, "tcp://"+hostPort(ssh))

	expect(t, got, fmt.Sprintf(`Get "https://%s/ping": tls: first record does not look like a TLS handshake`, hostPort(ssh)))
}

func TestPingVerifiesTheCertificateUnlessToldNotTo(t *testing.T) {
	agent := newAgent(t, healthy)

	_, err := pinger{longBudget}.ping("tcp://"+hostPort(agent.Listener), false)

	// Go 1.20 put "tls: failed to verify certificate: " in front of it.
	if err == nil || !strings.HasSuffix(err.Error(), "x509: certificate signed by unknown authority") {
		t.Errorf("ping = %v, want an unknown authority", err)
	}
}

func TestPingRefusesTLSBelow1_2(t *testing.T) {
	old := httptest.NewUnstartedServer(http.HandlerFunc(healthy))
	old.Config.ErrorLog = newLogger(io.Discard).std("")
	old.TLS = &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}
	old.StartTLS()
	t.Cleanup(old.Close)

	got := pingError(t, longBudget, "tcp://"+hostPort(old.Listener))

	expect(t, got, fmt.Sprintf(`Get "https://%s/ping": remote error: tls: protocol version not supported`, hostPort(old.Listener)))
}

func TestPingDoesNotHonourAProxyOfTheEnvironment(t *testing.T) {
	// 0.0.0.0 leads to this machine as well, but unlike 127.0.0.1 net/http does
	// not exempt it from the proxy which TestMain has set, and nobody runs.
	agent := newAgent(t, healthy)
	_, port, _ := net.SplitHostPort(hostPort(agent.Listener))

	if _, err := (pinger{longBudget}).ping("tcp://0.0.0.0:"+port, true); err != nil {
		t.Error(err)
	}
}

func TestTwoPingsNeverShareAConnection(t *testing.T) {
	peers := make(chan string, 2)
	agent := newAgent(t, func(w http.ResponseWriter, r *http.Request) {
		peers <- r.RemoteAddr
		healthy(w, r)
	})
	p := pinger{longBudget}

	for i := 0; i < 2; i++ {
		if _, err := p.ping("tcp://"+hostPort(agent.Listener), true); err != nil {
			t.Fatal(err)
		}
	}

	if first, second := <-peers, <-peers; first == second {
		t.Errorf("both pings came from %s", first)
	}
}

func TestPingLeavesNoConnectionBehind(t *testing.T) {
	closed := make(chan struct{})
	agent := httptest.NewUnstartedServer(http.HandlerFunc(healthy))
	agent.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateClosed {
			close(closed)
		}
	}
	agent.StartTLS()
	t.Cleanup(agent.Close)

	if _, err := (pinger{longBudget}).ping("tcp://"+hostPort(agent.Listener), true); err != nil {
		t.Fatal(err)
	}

	select {
	case <-closed:
	case <-time.After(longBudget):
		t.Error("the connection was still open")
	}
}

func TestPingFollowsRedirects(t *testing.T) {
	agent := newAgent(t, healthy)
	moved := newAgent(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, agent.URL+"/ping", http.StatusFound)
	})

	if _, err := (pinger{longBudget}).ping("tcp://"+hostPort(moved.Listener), true); err != nil {
		t.Error(err)
	}
}

func TestPingJudgesTheAnswer(t *testing.T) {
	const (
		version  = headerAgent
		platform = headerAgentPlatform
	)
	type headers map[string]string
	tests := []struct {
		name    string
		status  int
		headers headers
		want    string
	}{
		// The status comes first, whatever the headers say.
		{"wrong status", 200, headers{version: "2.23.0", platform: "1"}, "Failed request with status 200"},
		{"forbidden", 403, nil, "Failed request with status 403"},
		{"bad gateway", 502, nil, "Failed request with status 502"},
		// Then the version, then the platform.
		{"no headers", 204, nil, "Version Header is missing"},
		{"no version", 204, headers{platform: "1"}, "Version Header is missing"},
		{"no platform", 204, headers{version: "2.23.0"}, "Agent Platform Header is missing"},
		{"platform zero", 204, headers{version: "2.23.0", platform: "0"}, "Agent platform is invalid"},
		{"platform no number", 204, headers{version: "2.23.0", platform: "podman"}, `strconv.Atoi: parsing "podman": invalid syntax`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			agent := newAgent(t, func(w http.ResponseWriter, _ *http.Request) {
				for name, value := range test.headers {
					w.Header().Set(name, value)
				}
				w.WriteHeader(test.status)
			})

			expect(t, pingError(t, longBudget, "tcp://"+hostPort(agent.Listener)), test.want)
		})
	}
}

func TestPingForcesHTTPSWhateverSchemeWasTyped(t *testing.T) {
	for typed, want := range map[string]string{
		"tcp://10.88.0.1:19001":           "https://10.88.0.1:19001/ping",
		"http://10.88.0.1:19001":          "https://10.88.0.1:19001/ping",
		"https://10.88.0.1:19001":         "https://10.88.0.1:19001/ping",
		"//10.88.0.1:19001":               "https://10.88.0.1:19001/ping",
		"10.88.0.1:19001":                 "https://10.88.0.1:19001/ping",
		"host.containers.internal:19001":  "https://host.containers.internal:19001/ping",
		"tcp://[fd00::1]:19001":           "https://[fd00::1]:19001/ping",
		"tcp://host.containers.internal/": "https://host.containers.internal//ping",
	} {
		got, err := pingURL(typed)
		if err != nil || got != want {
			t.Errorf("pingURL(%q) = %q, %v, want %q", typed, got, err, want)
		}
	}
}

func TestPingOfAnAddressWhichIsNoURLFailsWhileParsing(t *testing.T) {
	expect(t, pingError(t, longBudget, "tcp://agent:port"), `parse "tcp://agent:port/ping": invalid port ":port" after host`)
}
