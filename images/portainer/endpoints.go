package main

import (
	"errors"
	"net/http"
	"sort"
	"strconv"
	"strings"
	"sync"
)

// Environment types, and the one status a fresh environment has
// (portainer api/portainer.go, 2.23.0).
const (
	typeDocker            = 1
	typeAgentOnDocker     = 2
	typeAgentOnKubernetes = 6

	statusUp = 1
)

// endpoint is an environment; the API still has its former name. The fields
// are those of portainer.Endpoint (api/portainer.go, 2.23.0) the testbed reads.
type endpoint struct {
	ID              int       `json:"Id"`
	Name            string    `json:"Name"`
	Type            int       `json:"Type"`
	ContainerEngine string    `json:"ContainerEngine"`
	URL             string    `json:"URL"`
	GroupID         int       `json:"GroupId"`
	PublicURL       string    `json:"PublicURL"`
	TLSConfig       tlsConfig `json:"TLSConfig"`
	TagIDs          []int     `json:"TagIds"`
	Status          int       `json:"Status"`
	Agent           agent     `json:"Agent"`
}

type tlsConfig struct {
	TLS           bool `json:"TLS"`
	TLSSkipVerify bool `json:"TLSSkipVerify"`
}

type agent struct {
	Version string `json:"Version,omitempty"`
}

// Failures of an endpointStore. The second text is the product's
// (portainer api/dataservices/errors, 2.23.0).
var (
	errNameTaken = errors.New("Name is not unique")
	errNotFound  = errors.New("object not found inside the database")
)

// endpointStore holds the environments of one process. The zero value is empty
// and ready for use.
type endpointStore struct {
	mu     sync.Mutex
	lastID int
	byID   map[int]endpoint
}

// nameTaken reports whether an environment of that name exists.
func (s *endpointStore) nameTaken(name string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.nameTakenLocked(name)
}

func (s *endpointStore) nameTakenLocked(name string) bool {
	for _, e := range s.byID {
		if e.Name == name {
			return true
		}
	}
	return false
}

// add stores e under the next identifier. It looks at the name once more: a
// ping takes up to three seconds, in which another request may have had it.
func (s *endpointStore) add(e endpoint) (endpoint, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.nameTakenLocked(e.Name) {
		return endpoint{}, errNameTaken
	}
	if s.byID == nil {
		s.byID = make(map[int]endpoint)
	}
	s.lastID++
	e.ID = s.lastID
	s.byID[e.ID] = e
	return e, nil
}

// all returns the environments in the order of their creation.
func (s *endpointStore) all() []endpoint {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := make([]endpoint, 0, len(s.byID))
	for _, e := range s.byID {
		list = append(list, e)
	}
	sort.Slice(list, func(i, j int) bool { return list[i].ID < list[j].ID })
	return list
}

func (s *endpointStore) remove(id int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.byID[id]; !ok {
		return errNotFound
	}
	delete(s.byID, id)
	return nil
}

// listEndpoints answers GET /api/endpoints.
func (s *server) listEndpoints(w http.ResponseWriter, _ *http.Request) *handlerError {
	writeJSON(w, http.StatusOK, s.endpoints.all())
	return nil
}

// deleteEndpoint answers DELETE /api/endpoints/{id}
// (portainer api/http/handler/endpoints/endpoint_delete.go, 2.23.0).
func (s *server) deleteEndpoint(w http.ResponseWriter, r *http.Request) *handlerError {
	id, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, endpointPrefix))
	if err != nil {
		return badRequest("Invalid environment identifier route variable", err)
	}
	if err := s.endpoints.remove(id); err != nil {
		return notFound("Unable to find an environment with the specified identifier inside the database", err)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
