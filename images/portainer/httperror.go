package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"unicode"
)

// handlerError is a failure on its way to the client
// (portainer pkg/libhttp/error, 2.23.0).
type handlerError struct {
	status  int
	message string // what could not be done
	err     error  // why; nil where the message says it all
}

// errorBody is the JSON of every failure. The UI shows Details, and Message
// only where there are none (portainer app/portainer/services/axios.ts, 2.23.0).
type errorBody struct {
	Message string `json:"message,omitempty"`
	Details string `json:"details,omitempty"`
}

func badRequest(message string, err error) *handlerError {
	return &handlerError{http.StatusBadRequest, message, err}
}

func notFound(message string, err error) *handlerError {
	return &handlerError{http.StatusNotFound, message, err}
}

func conflict(message string) *handlerError {
	return &handlerError{http.StatusConflict, message, nil}
}

func internalServerError(message string, err error) *handlerError {
	return &handlerError{http.StatusInternalServerError, message, err}
}

func (e *handlerError) body() errorBody {
	err := e.err
	if err == nil {
		err = errors.New(e.message)
	}
	return errorBody{Message: e.message, Details: capitalize(err.Error())}
}

// capitalize raises the first byte of s, as the product does to the text of
// every error (portainer pkg/libhttp/error/error.go, 2.23.0). A text which
// does not begin with ASCII is mangled there, and therefore here; no error of
// net/http begins like that.
func capitalize(s string) string {
	if s == "" {
		return ""
	}
	return string(unicode.ToUpper(rune(s[0]))) + s[1:]
}

func writeError(w http.ResponseWriter, e *handlerError) {
	writeJSON(w, e.status, e.body())
}

func writeJSON(w http.ResponseWriter, status int, value any) {
	body, err := json.Marshal(value)
	if err != nil {
		// Only plain structs come here; this is a mistake in the program.
		panic(err)
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// A client which has gone away is no failure of the server's.
	_, _ = w.Write(body)
}
