package main

import (
	"errors"
	"net/http"
	"sort"
	"strings"
	"time"
)

const endpointPrefix = "/api/endpoints/"

// server is the HTTP face of the program.
type server struct {
	endpoints  endpointStore
	instanceID string
	ping       func(endpointURL string, skipVerify bool) (agentInfo, error)
	log        *logger
}

func newServer(ping func(string, bool) (agentInfo, error), log *logger) (*server, error) {
	id, err := newInstanceID()
	if err != nil {
		return nil, err
	}
	return &server{instanceID: id, ping: ping, log: log}, nil
}

// newHTTPServer bounds what a client may cost. Writing has to outlast a ping,
// since its clock starts before the handler does.
func newHTTPServer(handler http.Handler, log *logger) *http.Server {
	return &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10*time.Second + pingBudget,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          log.std("http"),
	}
}

// ServeHTTP answers one request and logs its outcome.
func (s *server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	started := time.Now()
	recorder := &statusRecorder{ResponseWriter: w, status: http.StatusOK}
	failure := s.route(recorder, r)
	if failure != nil {
		writeError(recorder, failure)
	}
	s.log.request(r, recorder.status, time.Since(started), failure)
}

// methods maps the methods of one path to their handlers.
type methods map[string]func(http.ResponseWriter, *http.Request) *handlerError

func (s *server) route(w http.ResponseWriter, r *http.Request) *handlerError {
	var allowed methods
	switch path := r.URL.Path; {
	case path == "/":
		allowed = methods{http.MethodGet: showPage}
	case path == "/api/endpoints":
		allowed = methods{http.MethodGet: s.listEndpoints, http.MethodPost: s.createEndpoint}
	case strings.HasPrefix(path, endpointPrefix):
		allowed = methods{http.MethodDelete: s.deleteEndpoint}
	case path == "/api/system/status", path == "/api/status":
		allowed = methods{http.MethodGet: s.showStatus}
	default:
		return notFound("Not found", errors.New("no such path: "+path))
	}

	method := r.Method
	if method == http.MethodHead {
		method = http.MethodGet // net/http withholds the body
	}
	handle, ok := allowed[method]
	if !ok {
		w.Header().Set("Allow", allowed.String())
		return &handlerError{http.StatusMethodNotAllowed, "Method not allowed", nil}
	}
	return handle(w, r)
}

// String is the value of an Allow header.
func (m methods) String() string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	sort.Strings(names)
	return strings.Join(names, ", ")
}

// statusRecorder remembers the status for the log.
type statusRecorder struct {
	http.ResponseWriter
	status int
}

func (r *statusRecorder) WriteHeader(status int) {
	r.status = status
	r.ResponseWriter.WriteHeader(status)
}
