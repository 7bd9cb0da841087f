package sender_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
	"hookloop/internal/webhook"
)

// BenchmarkSend compares an attempt with the least that net/http can do: the difference is what
// signing and guarding cost. The endpoint runs in the same process and is part of both.
func BenchmarkSend(b *testing.B) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		_, _ = io.WriteString(w, "ok")
	}))
	b.Cleanup(srv.Close)
	d := delivery(srv.URL)
	d.Content.Data = append(append([]byte(`"`), bytes.Repeat([]byte("x"), 510)...), '"')

	b.Run("bare client", func(b *testing.B) {
		client := &http.Client{Transport: &http.Transport{DisableCompression: true}}
		body := webhook.Body(d.Event, d.Content)
		b.ReportAllocs()
		for b.Loop() {
			resp, err := client.Post(srv.URL, "application/json", bytes.NewReader(body))
			require.NoError(b, err)
			_, _ = io.Copy(io.Discard, resp.Body)
			require.NoError(b, resp.Body.Close())
		}
	})
	b.Run("sender", func(b *testing.B) {
		s := newSender(b, sender.Config{})
		b.ReportAllocs()
		for b.Loop() {
			_, err := s.Send(b.Context(), d, 1)
			require.NoError(b, err)
		}
	})
}
