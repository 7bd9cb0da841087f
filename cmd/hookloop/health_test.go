package main

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestHealth(t *testing.T) {
	t.Parallel()
	status := http.StatusOK
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs" {
			<-r.Context().Done()
			return
		}
		answerStatus(w, status, "so it is")
	}))
	t.Cleanup(s.Close)
	ask := func(args ...string) (string, error) {
		c := newHealth()
		var out bytes.Buffer
		c.SetOut(&out)
		c.SetArgs(args)
		c.SilenceErrors, c.SilenceUsage = true, true
		err := c.ExecuteContext(t.Context())
		return out.String(), err
	}

	out, err := ask(s.URL + "/readyz")
	require.NoError(t, err)
	require.Equal(t, `{"status":"so it is"}`+"\n", out)
	status = http.StatusServiceUnavailable
	_, err = ask(s.URL + "/readyz")
	require.EqualError(t, err, s.URL+`/readyz: 503: {"status":"so it is"}`)
	_, err = ask("--timeout", "50ms", s.URL+"/hangs")
	require.EqualError(t, err, s.URL+"/hangs: no answer within 50ms")
	_, err = ask("http://127.0.0.1:1/")
	require.ErrorContains(t, err, "refused")
}
