package auth_test

import (
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/webhook"
)

// TestOddKeySetsReplaceNothing: what was good a moment ago goes on counting, and one odd key keeps
// no other out.
func TestOddKeySetsReplaceNothing(t *testing.T) {
	t.Parallel()
	i := newIssuer(t)
	var odd atomic.Pointer[string]
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if document := odd.Load(); document != nil {
			i.asked.Add(1)
			_, _ = w.Write([]byte(*document))
			return
		}
		i.ServeHTTP(w, r)
	}))
	defer srv.Close()
	v, err := auth.New(auth.Config{JWKSURL: srv.URL, Fetch: jwksFetcher(t), Issuer: "hookloop", Audience: "hookloop"})
	require.NoError(t, err)
	defer v.Close()
	good := i.sign(t, jwt.SigningMethodES256, i.ecdsa, "ecdsa")
	_, err = v.Verify(t.Context(), good)
	require.NoError(t, err)
	for _, document := range []string{`{"keys":[]}`, "<html>maintenance</html>", `{"keys":[{"kty":"RSA","kid":"odd","e":"AQAB"}]}`} {
		odd.Store(&document)
		asked := i.asked.Load()
		require.Eventually(t, func() bool { // each is read, by and by
			_, err := v.Verify(t.Context(), i.sign(t, jwt.SigningMethodES256, i.ecdsa, "made up"))
			return i.asked.Load() > asked && webhook.CodeOf(err) == api.Unauthenticated
		}, patience, 10*time.Millisecond)
		_, err = v.Verify(t.Context(), good)
		require.NoError(t, err, document)
	}
}
