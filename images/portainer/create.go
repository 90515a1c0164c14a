package main

import (
	"encoding/json"
	"errors"
	"mime/multipart"
	"net/http"
	"strconv"
	"strings"
)

// agentEnvironment is the one EndpointCreationType served here
// (portainer api/http/handler/endpoints/endpoint_create.go, 2.23.0).
const agentEnvironment = 2

// Platforms an agent may report (portainer api/portainer.go, 2.23.0). Podman
// has none of its own: its agents report Docker.
const (
	platformDocker     = 1
	platformKubernetes = 2
)

// maxCreateBody is far above what the form holds. It also keeps parsing in
// memory: the image has no directory for temporary files.
const maxCreateBody = 64 << 10

// createPayload is the form of POST /api/endpoints
// (portainer api/http/handler/endpoints/endpoint_create.go, 2.23.0).
//
// The product hands TLSSkipVerify and TLSSkipClientVerify to parameters of the
// opposite names. Without TLS files, which are not served here, the swap can't
// be observed: either TLS is off, and certificates are verified, or TLS is on,
// and both have to be true.
type createPayload struct {
	name            string
	url             string
	publicURL       string
	groupID         int
	tagIDs          []int
	containerEngine string
	tls             tlsConfig
}

// createEndpoint answers POST /api/endpoints: it pings the agent and, if that
// succeeds, keeps the environment.
func (s *server) createEndpoint(w http.ResponseWriter, r *http.Request) *handlerError {
	payload, failure := readCreatePayload(w, r)
	if failure != nil {
		return failure
	}
	if s.endpoints.nameTaken(payload.name) {
		return conflict(errNameTaken.Error())
	}
	info, err := s.ping(payload.url, payload.tls.TLSSkipVerify)
	if err != nil {
		return internalServerError("Unable to get environment type", err)
	}
	created, err := s.endpoints.add(payload.endpoint(info))
	if err != nil {
		return conflict(err.Error())
	}
	writeJSON(w, http.StatusOK, created)
	return nil
}

// endpoint is the environment which the payload describes and info confirms.
func (p createPayload) endpoint(info agentInfo) endpoint {
	e := endpoint{
		Name:            p.name,
		Type:            typeDocker, // what the product takes an unknown platform for
		ContainerEngine: p.containerEngine,
		URL:             p.url,
		GroupID:         p.groupID,
		PublicURL:       p.publicURL,
		TLSConfig:       p.tls,
		TagIDs:          p.tagIDs,
		Status:          statusUp,
		Agent:           agent{Version: info.version},
	}
	switch info.platform {
	case platformDocker:
		e.Type = typeAgentOnDocker
	case platformKubernetes:
		e.Type = typeAgentOnKubernetes
		e.URL = strings.TrimPrefix(e.URL, "tcp://")
	}
	return e
}

func readCreatePayload(w http.ResponseWriter, r *http.Request) (createPayload, *handlerError) {
	const message = "Invalid request payload"
	r.Body = http.MaxBytesReader(w, r.Body, maxCreateBody)
	if err := r.ParseMultipartForm(maxCreateBody); err != nil {
		var tooLarge *http.MaxBytesError
		if errors.As(err, &tooLarge) {
			return createPayload{}, &handlerError{http.StatusRequestEntityTooLarge, message, tooLarge}
		}
		return createPayload{}, badRequest(message, err)
	}
	payload, err := parseCreateForm(r.MultipartForm)
	if err != nil {
		return createPayload{}, badRequest(message, err)
	}
	return payload, nil
}

// parseCreateForm applies the rules of endpointCreatePayload.Validate in their
// order, with two of its own: only agents are created, and the URL, without
// which there is nothing to ping, is mandatory.
func parseCreateForm(form *multipart.Form) (createPayload, error) {
	p := createPayload{
		name:            field(form, "Name"),
		url:             field(form, "URL"),
		publicURL:       field(form, "PublicURL"),
		containerEngine: field(form, "ContainerEngine"),
		groupID:         1,
		tagIDs:          []int{},
	}
	if p.name == "" {
		return p, errors.New("invalid environment name")
	}
	if err := checkCreationType(field(form, "EndpointCreationType")); err != nil {
		return p, err
	}
	switch p.containerEngine {
	case "", "docker", "podman":
	default:
		return p, errors.New("invalid container engine value. Value must be one of: 'docker' or 'podman'")
	}
	if id, err := strconv.Atoi(field(form, "GroupID")); err == nil && id != 0 {
		p.groupID = id
	}
	if tags := field(form, "TagIds"); tags != "" {
		if err := json.Unmarshal([]byte(tags), &p.tagIDs); err != nil {
			return p, errors.New("invalid TagIds parameter")
		}
		if p.tagIDs == nil { // "null" is JSON, too
			p.tagIDs = []int{}
		}
	}
	if p.tls.TLS = field(form, "TLS") == "true"; p.tls.TLS {
		p.tls.TLSSkipVerify = field(form, "TLSSkipVerify") == "true"
		if !p.tls.TLSSkipVerify {
			return p, errors.New("invalid CA certificate file. Ensure that the file is uploaded correctly")
		}
		if field(form, "TLSSkipClientVerify") != "true" {
			return p, errors.New("invalid certificate file. Ensure that the file is uploaded correctly")
		}
	}
	if p.url == "" {
		return p, errors.New("invalid environment URL")
	}
	return p, nil
}

// checkCreationType refuses what the product refuses, in its words, and what
// only the product can do, in words of its own.
func checkCreationType(value string) error {
	kind, err := strconv.Atoi(value)
	switch {
	case err != nil || kind == 0:
		return errors.New("invalid environment type value. Value must be one of: 1 (Docker environment), 2 (Agent environment), 3 (Azure environment), 4 (Edge Agent environment) or 5 (Local Kubernetes environment)")
	case kind != agentEnvironment:
		return errors.New("invalid environment type value. This testbed creates agents only: value must be 2 (Agent environment)")
	}
	return nil
}

// field returns the first value of a form field, or "" where it is missing:
// the product makes no difference between the two.
func field(form *multipart.Form, name string) string {
	if values := form.Value[name]; len(values) > 0 {
		return values[0]
	}
	return ""
}
