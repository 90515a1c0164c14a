package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func expect(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("\n got %s\nwant %s", got, want)
	}
}

// ask returns the answer of the handler, without a network between.
func ask(method, path string, headers map[string]string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, nil)
	for name, value := range headers {
		r.Header.Set(name, value)
	}
	w := httptest.NewRecorder()
	(&handler{log: newLogger(io.Discard)}).ServeHTTP(w, r)
	return w
}

func TestAnswers(t *testing.T) {
	const (
		missing = `403 {"message":"Missing request signature headers","details":"Unauthorized"}`
		invalid = `403 {"message":"Invalid request signature","details":"Unauthorized"}`
	)
	key := map[string]string{headerPublicKey: "key"}
	signature := map[string]string{headerSignature: "signature"}
	both := map[string]string{headerPublicKey: "key", headerSignature: "signature"}

	tests := []struct {
		name    string
		method  string
		path    string
		headers map[string]string
		want    string
	}{
		// A ping needs no signature, and has one method.
		{"ping", "GET", "/ping", nil, "204"},
		{"ping with a query", "GET", "/ping?x=1", nil, "204"},
		{"signed ping", "GET", "/ping", both, "204"},
		{"HEAD ping", "HEAD", "/ping", nil, "405"},
		{"POST ping", "POST", "/ping", nil, "405"},
		// Everything else needs both headers ...
		{"root", "GET", "/", nil, missing},
		{"docker API", "GET", "/v1.41/_ping", nil, missing},
		{"below ping", "GET", "/ping/", nil, missing},
		{"key alone", "GET", "/info", key, missing},
		{"signature alone", "GET", "/info", signature, missing},
		// ... and is not let in with them either.
		{"signed", "GET", "/info", both, invalid},
		{"signed POST", "POST", "/containers/create", both, invalid},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			w := ask(test.method, test.path, test.headers)

			expect(t, strings.TrimSpace(fmt.Sprint(w.Code, " ", w.Body)), test.want)
		})
	}
}

func TestEveryAnswerTellsWhoTheAgentIs(t *testing.T) {
	for _, target := range []string{"GET /ping", "POST /ping", "GET /info"} {
		method, path, _ := strings.Cut(target, " ")
		h := ask(method, path, nil).Header()

		got := fmt.Sprint(h.Get("Portainer-Agent"), " ", h.Get("Portainer-Agent-API-Version"), " ", h.Get("Portainer-Agent-Platform"))
		expect(t, target+": "+got, target+": 2.23.0 2 1")
	}
}

func TestCertificateIsSelfSignedForLocalhostAndTheOwnAddress(t *testing.T) {
	now := time.Date(2024, 10, 23, 12, 0, 0, 0, time.UTC)
	made, err := newCertificate(net.IPv4(172, 18, 0, 4), now)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(made.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}

	expect(t, fmt.Sprint(cert.DNSNames, cert.IPAddresses, cert.Subject), "[localhost] [172.18.0.4] ")
	expect(t, fmt.Sprint(cert.NotBefore.Equal(now), cert.NotAfter), "true 2025-10-23 12:00:00 +0000 UTC")
	expect(t, fmt.Sprint(cert.PublicKey.(*rsa.PublicKey).N.BitLen()), "2048")
	if err := cert.CheckSignature(cert.SignatureAlgorithm, cert.RawTBSCertificate, cert.Signature); err != nil {
		t.Errorf("not signed by itself: %v", err)
	}
	// The words of portainer#7918.
	expect(t, cert.VerifyHostname("127.0.0.2").Error(), "x509: certificate is valid for 172.18.0.4, not 127.0.0.2")
}

func TestOwnAddressIsTheFirstOthersCouldUse(t *testing.T) {
	addrs := func(list ...string) []net.Addr {
		var result []net.Addr
		for _, s := range list {
			ip, network, err := net.ParseCIDR(s)
			if err != nil {
				t.Fatal(err)
			}
			result = append(result, &net.IPNet{IP: ip, Mask: network.Mask})
		}
		return result
	}
	for _, test := range []struct {
		name  string
		addrs []net.Addr
		want  string
	}{
		{"loopback is skipped", addrs("127.0.0.1/8", "::1/128", "10.88.0.2/16"), "10.88.0.2"},
		{"link-local is skipped", addrs("fe80::1/64", "fd00::2/64"), "fd00::2"},
		{"the first one wins", addrs("10.89.0.2/24", "10.88.0.2/16"), "10.89.0.2"},
		{"no network", addrs("127.0.0.1/8"), "<nil>"},
	} {
		t.Run(test.name, func(t *testing.T) {
			expect(t, fmt.Sprint(firstGlobalIP(test.addrs)), test.want)
		})
	}
}

func TestCertificateNeedsNoAddress(t *testing.T) {
	if _, err := newCertificate(nil, time.Now()); err != nil {
		t.Error(err)
	}
}

// started is an agent on 127.0.0.1, until the test ends.
type started struct {
	address string
	stop    func() error
}

func start(t *testing.T) started {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	lines, log := io.Pipe()
	ended := make(chan error, 1)
	go func() { ended <- run(ctx, "127.0.0.1:0", newLogger(log)) }()
	t.Cleanup(cancel)

	var first logLine
	decoder := json.NewDecoder(bufio.NewReader(lines))
	if err := decoder.Decode(&first); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = io.Copy(io.Discard, io.MultiReader(decoder.Buffered(), lines)) }()
	return started{first.Text, func() error {
		cancel()
		select {
		case err := <-ended:
			return err
		case <-time.After(10 * time.Second):
			return errors.New("run went on")
		}
	}}
}

func client(config *tls.Config) *http.Client {
	config.InsecureSkipVerify = true
	return &http.Client{Transport: &http.Transport{TLSClientConfig: config, DisableKeepAlives: true}}
}

func TestRunServesPingsUntilItIsToldToStop(t *testing.T) {
	agent := start(t)

	resp, err := client(&tls.Config{}).Get("https://" + agent.address + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	expect(t, resp.Status, "204 No Content")

	if err := agent.stop(); err != nil {
		t.Errorf("run = %v, want a clean end", err)
	}
}

func TestAgentRefusesTLSBelow1_2(t *testing.T) {
	agent := start(t)

	_, err := client(&tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}).Get("https://" + agent.address + "/ping")

	if err == nil || !strings.HasSuffix(err.Error(), "remote error: tls: protocol version not supported") {
		t.Errorf("got %v, want a refused version", err)
	}
}

func TestAgentTellsAPlainHTTPClientThatItSpeaksHTTPS(t *testing.T) {
	agent := start(t)
	resp, err := (&http.Client{Transport: &http.Transport{}}).Get("http://" + agent.address + "/ping")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)

	expect(t, fmt.Sprint(resp.Status, ": ", string(body)), "400 Bad Request: Client sent an HTTP request to an HTTPS server.\n")
}

func TestRunFailsOnAnAddressInUse(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	address := taken.Addr().String()

	err = run(context.Background(), address, newLogger(io.Discard))

	if err == nil {
		t.Fatal("run succeeded")
	}
	expect(t, err.Error(), "listen tcp "+address+": bind: address already in use")
}

func TestEachRequestIsLoggedOnceWithItsPeer(t *testing.T) {
	var out bytes.Buffer
	r := httptest.NewRequest(http.MethodGet, "/ping", nil)
	r.RemoteAddr = "10.88.0.5:40000"

	(&handler{log: newLogger(&out)}).ServeHTTP(httptest.NewRecorder(), r)

	var line logLine
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("%v: %q", err, out.String())
	}
	expect(t, fmt.Sprint(line.Peer, " ", line.Method, " ", line.Path, " ", line.Status), "10.88.0.5:40000 GET /ping 204")
}
