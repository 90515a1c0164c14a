package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
)

// form is what the UI of the product sends for an agent; tests change a copy.
type form map[string]string

func agentForm(changes form) form {
	f := form{
		"Name":                 "remote",
		"EndpointCreationType": "2",
		"ContainerEngine":      "podman",
		"URL":                  "tcp://10.88.0.1:19001",
		"GroupID":              "1",
		"TagIds":               "[]",
		"TLS":                  "true",
		"TLSSkipVerify":        "true",
		"TLSSkipClientVerify":  "true",
	}
	for name, value := range changes {
		f[name] = value
	}
	return f
}

// api is a server whose pings succeed, unless the test replaces them.
func api(t *testing.T) *server {
	t.Helper()
	return apiWithPing(t, func(string, bool) (agentInfo, error) {
		return agentInfo{platform: platformDocker, version: "2.23.0"}, nil
	})
}

func apiWithPing(t *testing.T, ping func(string, bool) (agentInfo, error)) *server {
	t.Helper()
	s, err := newServer(ping, newLogger(io.Discard))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// do returns the answer as "status body".
func do(s http.Handler, r *http.Request) string {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return strings.TrimRight(fmt.Sprint(w.Code, " ", w.Body), " ")
}

func create(t *testing.T, s *server, f form) string {
	t.Helper()
	return do(s, createRequest(t, f))
}

func createRequest(t *testing.T, f form) *http.Request {
	t.Helper()
	var body bytes.Buffer
	w := multipart.NewWriter(&body)
	for name, value := range f {
		if err := w.WriteField(name, value); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := httptest.NewRequest(http.MethodPost, "/api/endpoints", &body)
	r.Header.Set("Content-Type", w.FormDataContentType())
	return r
}

func get(s *server, path string) string {
	return do(s, httptest.NewRequest(http.MethodGet, path, nil))
}

func del(s *server, path string) string {
	return do(s, httptest.NewRequest(http.MethodDelete, path, nil))
}

const remote = `{"Id":1,"Name":"remote","Type":2,"ContainerEngine":"podman","URL":"tcp://10.88.0.1:19001","GroupId":1,"PublicURL":"",` +
	`"TLSConfig":{"TLS":true,"TLSSkipVerify":true},"TagIds":[],"Status":1,"Agent":{"Version":"2.23.0"}}`

func TestCreateAnswersWithTheEnvironment(t *testing.T) {
	expect(t, create(t, api(t), agentForm(nil)), "200 "+remote)
}

func TestCreateKeepsWhatTheFormSays(t *testing.T) {
	body := create(t, api(t), agentForm(form{"GroupID": "7", "TagIds": "[3,4]", "PublicURL": "agent.example", "ContainerEngine": "docker"}))

	var got endpoint
	if err := json.Unmarshal([]byte(strings.TrimPrefix(body, "200 ")), &got); err != nil {
		t.Fatal(body)
	}
	expect(t, fmt.Sprintf("%d %d %s %s", got.GroupID, got.TagIDs, got.PublicURL, got.ContainerEngine), "7 [3 4] agent.example docker")
}

func TestCreatePingsTheAddressOfTheForm(t *testing.T) {
	for _, test := range []struct {
		name string
		tls  string
		want string
	}{
		{"without verification if TLS is on", "true", "tcp://10.88.0.1:19001 true"},
		{"with verification if TLS is off", "false", "tcp://10.88.0.1:19001 false"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var asked string
			s := apiWithPing(t, func(url string, skipVerify bool) (agentInfo, error) {
				asked = fmt.Sprint(url, " ", skipVerify)
				return agentInfo{platform: platformDocker, version: "2.23.0"}, nil
			})

			create(t, s, agentForm(form{"TLS": test.tls}))

			expect(t, asked, test.want)
		})
	}
}

func TestCreateShowsWhyThePingFailedWithItsFirstLetterRaised(t *testing.T) {
	tests := []struct{ err, details string }{
		{`Get "https://host.containers.internal:19001/ping": dial tcp 10.88.0.1:19001: connect: connection refused`,
			`Get \"https://host.containers.internal:19001/ping\": dial tcp 10.88.0.1:19001: connect: connection refused`},
		{`parse "tcp://agent:port/ping": invalid port ":port" after host`,
			`Parse \"tcp://agent:port/ping\": invalid port \":port\" after host`},
	}
	for _, test := range tests {
		s := apiWithPing(t, func(string, bool) (agentInfo, error) { return agentInfo{}, errors.New(test.err) })

		expect(t, create(t, s, agentForm(nil)), `500 {"message":"Unable to get environment type","details":"`+test.details+`"}`)
	}
}

func TestCreateKeepsNothingWhenThePingFails(t *testing.T) {
	s := apiWithPing(t, func(string, bool) (agentInfo, error) { return agentInfo{}, io.EOF })

	create(t, s, agentForm(nil))

	expect(t, get(s, "/api/endpoints"), "200 []")
}

func TestCreateReportsARefusedConnectionEndToEnd(t *testing.T) {
	agent := newAgent(t, healthy) // on 127.0.0.1 only
	address := strings.Replace(hostPort(agent.Listener), "127.0.0.1", "127.0.0.2", 1)
	s := apiWithPing(t, pinger{longBudget}.ping)

	got := create(t, s, agentForm(form{"URL": "tcp://" + address}))

	expect(t, got, fmt.Sprintf(`500 {"message":"Unable to get environment type",`+
		`"details":"Get \"https://%[1]s/ping\": dial tcp %[1]s: connect: connection refused"}`, address))
}

func TestCreateMapsThePlatformToAType(t *testing.T) {
	for _, test := range []struct {
		name     string
		platform int
		want     string
	}{
		{"docker", 1, "2 tcp://10.88.0.1:19001"},
		{"kubernetes loses the scheme", 2, "6 10.88.0.1:19001"},
		{"unknown", 9, "1 tcp://10.88.0.1:19001"},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := createPayload{url: "tcp://10.88.0.1:19001"}.endpoint(agentInfo{platform: test.platform})

			expect(t, fmt.Sprint(e.Type, " ", e.URL), test.want)
		})
	}
}

func TestCreateRefusesAnInvalidForm(t *testing.T) {
	const anyType = "Invalid environment type value. Value must be one of: 1 (Docker environment), 2 (Agent environment), 3 (Azure environment), 4 (Edge Agent environment) or 5 (Local Kubernetes environment)"
	const agentsOnly = "Invalid environment type value. This testbed creates agents only: value must be 2 (Agent environment)"
	tests := []struct {
		name    string
		changes form
		details string
	}{
		{"no name", form{"Name": ""}, "Invalid environment name"},
		{"no URL", form{"URL": ""}, "Invalid environment URL"},
		// No type, and no known type, in the product's words; types only the
		// product has in ours.
		{"no type", form{"EndpointCreationType": ""}, anyType},
		{"type zero", form{"EndpointCreationType": "0"}, anyType},
		{"type no number", form{"EndpointCreationType": "agent"}, anyType},
		{"local docker", form{"EndpointCreationType": "1"}, agentsOnly},
		{"edge agent", form{"EndpointCreationType": "4"}, agentsOnly},
		{"unknown engine", form{"ContainerEngine": "lxc"}, "Invalid container engine value. Value must be one of: 'docker' or 'podman'"},
		{"tags no list", form{"TagIds": "3"}, "Invalid TagIds parameter"},
		// TLS files can't be uploaded, so both verifications have to be skipped.
		{"server verification", form{"TLSSkipVerify": "false"}, "Invalid CA certificate file. Ensure that the file is uploaded correctly"},
		{"client verification", form{"TLSSkipClientVerify": "false"}, "Invalid certificate file. Ensure that the file is uploaded correctly"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			s := apiWithPing(t, func(string, bool) (agentInfo, error) {
				t.Error("an invalid form was pinged")
				return agentInfo{}, io.EOF
			})
			want, _ := json.Marshal(errorBody{"Invalid request payload", test.details})
			expect(t, create(t, s, agentForm(test.changes)), "400 "+string(want))
		})
	}
}

func TestCreateRefusesABodyWhichIsNoForm(t *testing.T) {
	r := httptest.NewRequest(http.MethodPost, "/api/endpoints", strings.NewReader("{}"))
	r.Header.Set("Content-Type", "application/json")

	expect(t, do(api(t), r), `400 {"message":"Invalid request payload","details":"Request Content-Type isn't multipart/form-data"}`)
}

func TestCreateRefusesABodyBeyondItsLimit(t *testing.T) {
	got := create(t, api(t), agentForm(form{"Name": strings.Repeat("x", maxCreateBody)}))

	expect(t, got, `413 {"message":"Invalid request payload","details":"Http: request body too large"}`)
}

func TestCreateRefusesANameTwiceWithoutAnotherPing(t *testing.T) {
	pings := 0
	s := apiWithPing(t, func(string, bool) (agentInfo, error) {
		pings++
		return agentInfo{platform: platformDocker, version: "2.23.0"}, nil
	})
	create(t, s, agentForm(nil))

	expect(t, create(t, s, agentForm(nil)), `409 {"message":"Name is not unique","details":"Name is not unique"}`)
	expect(t, fmt.Sprint(pings, " ping"), "1 ping")
}

func TestCreateRefusesANameTakenWhileItPinged(t *testing.T) {
	var s *server
	s = apiWithPing(t, func(string, bool) (agentInfo, error) {
		if _, err := s.endpoints.add(endpoint{Name: "remote"}); err != nil {
			t.Error(err)
		}
		return agentInfo{platform: platformDocker, version: "2.23.0"}, nil
	})

	expect(t, create(t, s, agentForm(nil)), `409 {"message":"Name is not unique","details":"Name is not unique"}`)
}

func TestListReturnsEnvironmentsInTheOrderOfTheirCreation(t *testing.T) {
	s := api(t)
	want := "zyxwvutsrqponmlkjihgfedcba" // long enough not to come about by chance
	for _, name := range strings.Split(want, "") {
		create(t, s, agentForm(form{"Name": name}))
	}

	var list []endpoint
	if err := json.Unmarshal([]byte(strings.TrimPrefix(get(s, "/api/endpoints"), "200 ")), &list); err != nil {
		t.Fatal(err)
	}

	got := ""
	for _, e := range list {
		got += e.Name
	}
	expect(t, got, want)
}

func TestDeleteRemovesAnEnvironmentAndFreesItsName(t *testing.T) {
	s := api(t)
	create(t, s, agentForm(nil))

	expect(t, del(s, "/api/endpoints/1"), "204")
	expect(t, get(s, "/api/endpoints"), "200 []")
	expect(t, create(t, s, agentForm(nil)), "200 "+strings.Replace(remote, `"Id":1`, `"Id":2`, 1))
}

func TestDeleteRefusesAnUnknownIdentifier(t *testing.T) {
	expect(t, del(api(t), "/api/endpoints/1"),
		`404 {"message":"Unable to find an environment with the specified identifier inside the database","details":"Object not found inside the database"}`)
}

func TestDeleteRefusesAnIdentifierWhichIsNoNumber(t *testing.T) {
	expect(t, del(api(t), "/api/endpoints/remote"),
		`400 {"message":"Invalid environment identifier route variable","details":"Strconv.Atoi: parsing \"remote\": invalid syntax"}`)
}

func TestStatusTellsVersionAndInstanceUnderBothItsNames(t *testing.T) {
	s := api(t)
	want := regexp.MustCompile(`^200 \{"Version":"2\.23\.0","InstanceID":"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"\}$`)

	if got := get(s, "/api/system/status"); !want.MatchString(got) {
		t.Error(got)
	}
	expect(t, get(s, "/api/status"), get(s, "/api/system/status"))
}

func TestUnknownPathsAndMethodsAreRefused(t *testing.T) {
	s := api(t)
	expect(t, get(s, "/api/users"), `404 {"message":"Not found","details":"No such path: /api/users"}`)

	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodPut, "/api/endpoints", nil))
	expect(t, fmt.Sprint(w.Code, " ", w.Header().Get("Allow")), "405 GET, POST")
}

func TestCapitalizeRaisesTheFirstByteOnly(t *testing.T) {
	for text, want := range map[string]string{
		"":                      "",
		"EOF":                   "EOF",
		"dial tcp: lookup":      "Dial tcp: lookup",
		`"quoted"`:              `"quoted"`,
		"\xc3\xa9 is two bytes": "\xc3\x83\xa9 is two bytes", // the product's flaw
	} {
		expect(t, capitalize(text), want)
	}
}

func TestPageLoadsNothingFromElsewhere(t *testing.T) {
	if found := regexp.MustCompile(`(?i)(src|href)="[^d]|https?:|@import|url\(`).FindString(page); found != "" {
		t.Errorf("the page refers to %q", found)
	}
}

func TestPagePolicyAllowsTheInlineScriptAndStyleByHash(t *testing.T) {
	w := httptest.NewRecorder()
	api(t).ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/", nil))

	policy := w.Header().Get("Content-Security-Policy")
	for _, source := range []string{
		"default-src 'none'",
		"script-src " + inlineHash(w.Body.String(), "script"),
		"style-src " + inlineHash(w.Body.String(), "style"),
	} {
		if !strings.Contains(policy, source) {
			t.Errorf("policy %q lacks %q", policy, source)
		}
	}
}

func TestEachRequestIsLoggedOnceWithItsOutcome(t *testing.T) {
	var out bytes.Buffer
	s := apiWithPing(t, func(string, bool) (agentInfo, error) { return agentInfo{}, io.EOF })
	s.log = newLogger(&out)

	create(t, s, agentForm(nil))
	get(s, "/api/endpoints")

	var got []string
	for decoder := json.NewDecoder(&out); decoder.More(); {
		var line logLine
		if err := decoder.Decode(&line); err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimSpace(fmt.Sprint(line.Level, " ", line.Method, " ", line.Path, " ", line.Status, " ", line.Details)))
	}
	expect(t, strings.Join(got, "\n"), "error POST /api/endpoints 500 EOF\ninfo GET /api/endpoints 200")
}

func TestALogLineStaysOneLineWhateverAPeerSends(t *testing.T) {
	var out bytes.Buffer
	newLogger(&out).event("info", "test", "first\nsecond")

	if lines := strings.Count(out.String(), "\n"); lines != 1 {
		t.Errorf("%d lines: %q", lines, out.String())
	}
}
