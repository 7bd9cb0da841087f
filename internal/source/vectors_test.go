package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
	"hookloop/internal/webhook"
)

func TestVectors(t *testing.T) {
	t.Parallel()
	dir := os.Getenv("HOOKLOOP_VECTORS")
	if dir == "" {
		dir = filepath.Join("testdata", "vectors")
	}
	paths, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, paths, "no vectors in %s", dir)
	for _, path := range paths {
		raw, err := os.ReadFile(path)
		require.NoError(t, err)
		var file vectorFile
		require.NoError(t, json.Unmarshal(raw, &file), path)
		require.NotEmpty(t, file.Vectors, path)
		for _, v := range file.Vectors {
			t.Run(v.Provider+"/"+v.Name, func(t *testing.T) {
				t.Parallel()
				v.run(t, file.PEM)
			})
		}
	}
}

func (v vector) run(t *testing.T, certificates map[string]string) {
	t.Helper()
	keys := v.keys(t)
	fetcher := keys.shelf(certificates)
	p, err := v.provider(t, keys, source.Config{
		Fetch: fetcher, GoogleKeys: keySet(fetcher, googleKeysURL), PayPalCAs: keys.authorities(t, certificates),
	})
	if err != nil { // from a source whose config is refused nothing is ever received
		require.False(t, v.Expect.Valid, "the config is refused: %v", err)
		return
	}
	r := v.request(t)
	received, err := receive(p, r, v.Expect.Events != nil || v.Expect.Response != nil)
	v.requireHead(t, p, err)
	if v.MustNotFetch {
		require.Zero(t, fetcher.fetched.Load(), "it fetched something")
	}
	if !v.Expect.Valid {
		v.requireRefused(t, err)
		return
	}
	require.NoError(t, err, v.Expect.Reason)
	v.requireReceived(t, received)
}

// requireHead: what the head says of a request, all of it says as well.
func (v vector) requireHead(t *testing.T, p source.Provider, verdict error) {
	t.Helper()
	r := v.request(t)
	r.Body = nil
	if head := source.Head(p, r); head != nil {
		require.Equal(t, head, verdict)
	}
	bare := source.Request{Method: http.MethodPost, Header: http.Header{"Content-Type": {"application/json"}}, Now: r.Now}
	require.Error(t, source.Head(p, bare), "nothing in it could be verified")
}

// refusedByRead is an error of Read: Verify had let the request in.
type refusedByRead struct{ error }

func (e refusedByRead) Unwrap() error { return e.error }

// receive does what the gateway does. It reads in any case, for the sake of a panic, but what
// cannot be read counts only where the vector says what is in it: some are signed bytes and nothing
// more.
func receive(p source.Provider, r source.Request, counts bool) (source.Received, error) {
	if err := p.Verify(context.Background(), r); err != nil {
		return source.Received{}, err
	}
	received, err := p.Read(r)
	if err != nil && counts {
		return source.Received{}, refusedByRead{err}
	}
	return received, nil
}

func (v vector) requireRefused(t *testing.T, err error) {
	t.Helper()
	require.Error(t, err, v.Expect.Reason)
	status := http.StatusServiceUnavailable
	if refusal, ok := errors.AsType[*source.Refusal](err); ok {
		status = refusal.Status
		require.NotEmpty(t, refusal.Reason)
	} else {
		require.ErrorIs(t, err, source.ErrUnavailable)
	}
	if v.Expect.Response != nil {
		require.Equal(t, v.Expect.Response.Status, status, err)
		return
	}
	_, late := errors.AsType[refusedByRead](err)
	require.False(t, late, "Verify let in what was not genuine")
}

func (v vector) requireReceived(t *testing.T, received source.Received) {
	t.Helper()
	for _, item := range received.Items {
		require.NoError(t, webhook.CheckData(item.Data))
		require.NotEmpty(t, item.ID())
	}
	if v.Expect.Events != nil {
		require.False(t, v.Provider == "paypal" && v.Weakness != nil && received.Binding == nil, "another body under the same signature would pass")
		events := []expectedEvent{}
		for _, item := range received.Items {
			events = append(events, expectedEvent{Type: item.Type, Key: item.Key})
		}
		expected := *v.Expect.Events
		for i := range expected {
			if expected[i].Type == "(none in body)" {
				expected[i].Type = ""
			}
		}
		require.Equal(t, expected, events)
	}
	if v.Expect.Response != nil {
		v.Expect.Response.require(t, received.Answer)
	}
}

func (e *expectedResponse) require(t *testing.T, a source.Answer) {
	t.Helper()
	if a.Status == 0 {
		a.Status = http.StatusOK
	}
	require.Equal(t, e.Status, a.Status)
	if e.ContentType != "" {
		mediaType, _, err := mime.ParseMediaType(a.ContentType)
		require.NoError(t, err)
		require.Equal(t, e.ContentType, mediaType)
	}
	if e.Body != nil {
		require.Equal(t, *e.Body, string(a.Body))
	}
	if e.JSON != nil {
		require.JSONEq(t, string(e.JSON), string(a.Body))
	}
}
