package main

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
	"net/http"
	"strings"
)

// page is the "Add environment" form for an agent (portainer
// AgentForm.tsx and environment.service/create.ts, 2.23.0). It loads nothing
// else: the network it is looked at from may lead nowhere.
//
//go:embed page.html
var page string

// pagePolicy allows the page its own script and style, and requests to the
// server it came from. Nothing else runs, should a text of a peer ever slip
// into the markup.
var pagePolicy = strings.Join([]string{
	"default-src 'none'",
	"script-src " + inlineHash(page, "script"),
	"style-src " + inlineHash(page, "style"),
	"img-src data:",
	"connect-src 'self'",
	"form-action 'self'",
	"base-uri 'none'",
	"frame-ancestors 'none'",
}, "; ")

// showPage answers GET /.
func showPage(w http.ResponseWriter, _ *http.Request) *handlerError {
	header := w.Header()
	header.Set("Content-Type", "text/html; charset=utf-8")
	header.Set("Content-Security-Policy", pagePolicy)
	header.Set("X-Content-Type-Options", "nosniff")
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	_, _ = w.Write([]byte(page))
	return nil
}

// inlineHash is the CSP source of the one inline element of that name.
func inlineHash(html, element string) string {
	_, rest, _ := strings.Cut(html, "<"+element+">")
	content, _, _ := strings.Cut(rest, "</"+element+">")
	sum := sha256.Sum256([]byte(content))
	return "'sha256-" + base64.StdEncoding.EncodeToString(sum[:]) + "'"
}
