package sender_test

import (
	"encoding/json"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// seen is what a foreign API was asked.
type seen struct {
	method, uri, body, hops string
}

func api(t *testing.T) (*httptest.Server, *seen) {
	t.Helper()
	var got seen
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		got = seen{r.Method, r.RequestURI, string(body), r.Header.Get("Hookloop-Hops")}
	}))
	t.Cleanup(s.Close)
	return s, &got
}

func shaped(url string, shape webhook.RequestShape, data string) webhook.Delivery {
	d := delivery(url)
	d.Endpoint.Request, d.Content.Data = shape, []byte(data)
	return d
}

// TestHeadersAreSentOrReserved: what the API takes reaches the endpoint, what is reserved never
// does.
func TestHeadersAreSentOrReserved(t *testing.T) {
	t.Parallel()
	got := make(chan http.Header, 1)
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got <- r.Header }))
	t.Cleanup(server.Close)
	d := delivery(server.URL)
	d.Endpoint.Headers = map[string]string{"Authorization": "mine", "Cookie": "mine", "Date": "mine", "Accept": "mine", "Idempotency-Key": "mine", "Baggage": "mine", "Forwarded": "mine"}
	chosen := maps.Clone(d.Endpoint.Headers)
	for _, name := range webhook.ReservedHeaders() {
		d.Endpoint.Headers[strings.Replace(name, "*", "x", 1)] = "mine" // as in a registry that took it
	}
	_, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
	require.NoError(t, err)
	h := <-got
	for name := range d.Endpoint.Headers {
		_, want := chosen[name]
		require.Equal(t, want, h.Get(name) == "mine", name)
		require.Equal(t, !want, webhook.ReservedHeader(name), name)
	}
}

func TestRequestShape(t *testing.T) {
	t.Parallel()
	server, got := api(t)
	d := shaped(server.URL+"/base?key=1", webhook.RequestShape{
		Method: http.MethodPatch, Path: `["contacts", .data.id, "edit"]`, Body: `.data | {firstname, points}`,
	}, `{"id":52,"firstname":"Zo\u00eb","points":1.10}`)
	d.Event.Hops = 2
	a, err := newSender(t, sender.Config{}).Send(t.Context(), d, 1)
	require.NoError(t, err)
	require.Equal(t, 200, a.StatusCode, a.Error)
	require.Equal(t, seen{"PATCH", "/base/contacts/52/edit?key=1", `{"firstname":"Zoë","points":1.10}`, "3"}, *got)
}

// TestRequestShapeStaysInside: what stands in an event leads neither into the query nor to another
// host.
func TestRequestShapeStaysInside(t *testing.T) {
	t.Parallel()
	server, got := api(t)
	s := newSender(t, sender.Config{})
	for id, uri := range map[string]string{
		`"x?y#z"`: "/base/x%3Fy%23z", `"100%"`: "/base/100%25", `"a%20b"`: "/base/a%2520b", `"@evil"`: "/base/@evil",
		`"v1..2"`: "/base/v1..2", `"a;b"`: "/base/a%3Bb", `"Zo\u00eb"`: "/base/Zo%C3%AB", `"...a"`: "/base/...a", `7.10`: "/base/7.10",
	} {
		a, err := s.Send(t.Context(), shaped(server.URL+"/base", webhook.RequestShape{Path: `[.data]`}, id), 1)
		require.NoError(t, err)
		require.Equal(t, 200, a.StatusCode, a.Error)
		require.Equal(t, uri, got.uri)
	}
}

// waysOut are texts that some proxy or server takes for more than one segment, or for a way up.
var waysOut = []string{
	"..", ".", "...", ". .", " ", "../../admin/users/1", "7/../../x", "7/8", "/", "//evil.example/x", `..\..\admin`, `7\8`,
	"..;/admin", "..;a=b", ";", "7\r\nX-Evil: 1", "7\x00", "a\nb", "a\tb", "a\x7fb", "a\u0085b",
	"%2e%2e", "%2E.", ".%2e", "%2e%2e%2fadmin", "7%2fedit", "7%5cedit", "7%00", "7%0a", "%252e%252e", "7%252Fedit", "7%25252fedit",
	"%u002e%u002e", "7%u2215..%u002fedit", "7%c0%af..", "%c0%ae%c0%ae", "%e0%80%af", "7%ff",
	"\uff0e\uff0e", "\uff0e\uff0e\uff0fx", "7\uff3cx", "\u2025", "\u2024\u2024", "%ef%bc%8f",
	"%2525252525252525252fa",
}

// TestNoWayOutOfASegment: the attempt fails, and nothing is asked.
func TestNoWayOutOfASegment(t *testing.T) {
	t.Parallel()
	server, got := api(t)
	s := newSender(t, sender.Config{})
	for _, id := range waysOut {
		data, err := json.Marshal(id)
		require.NoError(t, err)
		a, err := s.Send(t.Context(), shaped(server.URL+"/base", webhook.RequestShape{Path: `["contacts", .data]`}, string(data)), 1)
		require.NoError(t, err)
		require.Equal(t, webhook.FailureRequest, a.Failure, "%q", id)
		require.Contains(t, a.Error, "request.path: a segment ", "%q", id)
		require.Zero(t, *got, "%q", id)
	}
}

// TestRequestShapeFails: an event of which the request cannot be made is an attempt that failed,
// says why, quotes nothing, and does not speak against the endpoint.
func TestRequestShapeFails(t *testing.T) {
	t.Parallel()
	server, got := api(t)
	s := newSender(t, sender.Config{})
	for _, c := range []struct {
		shape webhook.RequestShape
		data  string
		want  string
	}{
		{webhook.RequestShape{Path: `[.data]`}, `".."`, "request.path: a segment is neither a number nor text of at least one character"},
		{webhook.RequestShape{Path: `[.data]`}, `{"s3cr3t":1}`, "request.path: a segment is neither a number nor text of at least one character"},
		{webhook.RequestShape{Path: `.data`}, `"s3cr3t"`, "request.path: the value is not a list of segments"},
		{webhook.RequestShape{Body: `.data.a.b`}, `{"a":"s3cr3t"}`, "request.body: the expression fails on this body"},
		{webhook.RequestShape{Body: `last(range(1e9))`}, `1`, "request.body: the expression ran for too long"},
	} {
		a, err := s.Send(t.Context(), shaped(server.URL, c.shape, c.data), 1)
		require.NoError(t, err)
		require.Equal(t, webhook.FailureRequest, a.Failure)
		require.Equal(t, c.want, a.Error)
		require.Equal(t, webhook.Refuses, a.Class())
		require.Zero(t, *got)
	}
}
