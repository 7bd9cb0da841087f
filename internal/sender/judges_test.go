package sender_test

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/npmtest"
	"hookloop/internal/sender"
	"hookloop/internal/signature"
)

type judged struct {
	Headers map[string]string `json:"headers"`
	Body    string            `json:"body"`
	Secret  string            `json:"secret"`
}

// The libraries endpoints use verify what an endpoint received.
func TestJudges(t *testing.T) {
	t.Parallel()
	dir := npmtest.Install(t, "../../e2e/judges")
	srv := endpointtest.Start(t, endpointtest.Config{})
	s := newSender(t, sender.Config{})
	d := delivery(srv.URL)
	d.Content.Data = []byte(`{"name":"Zoë ✔","price":1.10,"id":12345678901234567890}`)
	old, fresh, stranger := d.Endpoint.Secrets[0].Secret, signature.NewSecret(), signature.NewSecret()
	_, err := s.Send(t.Context(), d, 1)
	require.NoError(t, err)
	d.Endpoint.Rotate(fresh, time.Now(), time.Hour)
	_, err = s.Send(t.Context(), d, 2)
	require.NoError(t, err)

	got := srv.MustWait(t, 2)
	plain, rotating := got[0], got[1]
	tampered := rotating
	tampered.Body = bytes.Replace(rotating.Body, []byte("1.10"), []byte("9.10"), 1)
	renamed := rotating
	renamed.Header = rotating.Header.Clone()
	renamed.Header.Set(signature.HeaderID, "evt_2")

	for i, verdicts := range ask(t, dir, []judged{
		caseOf(plain, old), caseOf(rotating, old), caseOf(rotating, fresh),
		caseOf(plain, fresh), caseOf(rotating, stranger), caseOf(tampered, fresh), caseOf(renamed, fresh),
	}) {
		require.Len(t, verdicts, 2)
		for library, verdict := range verdicts {
			if i < 3 {
				require.Equal(t, "ok", verdict, "case %d: %s", i, library)
			} else {
				require.Contains(t, verdict, "No matching signature", "case %d: %s", i, library)
			}
		}
	}
}

func caseOf(r endpointtest.Receipt, s signature.Secret) judged {
	return judged{Headers: flat(r.Header), Body: string(r.Body), Secret: s.Reveal()}
}

func flat(h http.Header) map[string]string {
	one := map[string]string{}
	for name := range h {
		one[strings.ToLower(name)] = h.Get(name)
	}
	return one
}

func ask(t *testing.T, dir string, cases []judged) (verdicts []map[string]string) {
	t.Helper()
	in, err := json.Marshal(cases)
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), "node", "verify.mjs")
	cmd.Dir = dir
	cmd.Stdin = bytes.NewReader(in)
	cmd.Stderr = t.Output()
	out, err := cmd.Output()
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(out, &verdicts))
	require.Len(t, verdicts, len(cases))
	return verdicts
}
