package signature_test

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
)

type vector struct {
	Name    string
	Now     int64
	Keys    struct{ Secret string }
	Headers map[string]string
	Body    string
	Expect  struct {
		Valid  bool
		Reason string
	}
}

// The vectors are those the reference libraries publish, and spoiled copies of them.
func TestVectors(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/standard-webhooks.json")
	require.NoError(t, err)
	var file struct{ Vectors []vector }
	require.NoError(t, json.Unmarshal(raw, &file))
	ran := 0
	for _, v := range file.Vectors {
		if v.Keys.Secret == "" { // ed25519: signature version v1a
			continue
		}
		ran++
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			err := verifyVector(t, v)
			if v.Expect.Valid {
				require.NoError(t, err, v.Expect.Reason)
			} else {
				require.Error(t, err, v.Expect.Reason)
			}
		})
	}
	require.Equal(t, 9, ran)
}

func verifyVector(t *testing.T, v vector) error {
	t.Helper()
	// The reference libraries take a secret without its prefix, too. We do not: a prefix tells a
	// secret from a slip.
	text := v.Keys.Secret
	if !strings.HasPrefix(text, "whsec_") {
		_, err := signature.ParseSecret(text)
		require.ErrorIs(t, err, signature.ErrSecret)
		text = "whsec_" + text
	}
	secret, err := signature.ParseSecret(text)
	if err != nil {
		return err
	}
	h := http.Header{}
	for name, value := range v.Headers {
		h.Set(name, value)
	}
	return signature.Verify([]signature.Secret{secret}, h, []byte(v.Body), time.Unix(v.Now, 0))
}

func TestSignIsThePublishedSignature(t *testing.T) {
	t.Parallel()
	secret, err := signature.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(t, err)
	got := signature.Sign([]signature.Secret{secret}, "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 999), []byte(`{"test": 2432232314}`))
	require.Equal(t, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", got)
}

var signedAt = time.Unix(1_769_860_800, 0)

func signed(secrets []signature.Secret, id, body string) http.Header {
	h := http.Header{}
	h.Set(signature.HeaderID, id)
	h.Set(signature.HeaderTimestamp, strconv.FormatInt(signedAt.Unix(), 10))
	h.Set(signature.HeaderSignature, signature.Sign(secrets, id, signedAt, []byte(body)))
	return h
}

func TestVerify(t *testing.T) {
	t.Parallel()
	a, b, c := signature.NewSecret(), signature.NewSecret(), signature.NewSecret()
	both := []signature.Secret{a, b}
	set := func(name, value string) func(http.Header) { return func(h http.Header) { h.Set(name, value) } }
	keep := func(http.Header) {}
	for name, tc := range map[string]struct {
		with  []signature.Secret
		spoil func(http.Header)
		body  string
		later time.Duration
		want  error
	}{
		"first secret":         {with: both[:1], spoil: keep, body: "{}"},
		"second secret":        {with: both[1:], spoil: keep, body: "{}"},
		"one of mine":          {with: []signature.Secret{c, b}, spoil: keep, body: "{}"},
		"another secret":       {with: []signature.Secret{c}, spoil: keep, body: "{}", want: signature.ErrNoMatch},
		"no secret":            {with: nil, spoil: keep, body: "{}", want: signature.ErrNoMatch},
		"another body":         {with: both, spoil: keep, body: "{} ", want: signature.ErrNoMatch},
		"another id":           {with: both, spoil: set(signature.HeaderID, "evt_2"), body: "{}", want: signature.ErrNoMatch},
		"another second":       {with: both, spoil: set(signature.HeaderTimestamp, "1769860801"), body: "{}", want: signature.ErrNoMatch},
		"same time, other way": {with: both, spoil: set(signature.HeaderTimestamp, "+1769860800"), body: "{}", want: signature.ErrNoMatch},
		"five minutes later":   {with: both, spoil: keep, body: "{}", later: 5 * time.Minute},
		"five minutes earlier": {with: both, spoil: keep, body: "{}", later: -5 * time.Minute},
		"too old":              {with: both, spoil: keep, body: "{}", later: 5*time.Minute + 1, want: signature.ErrTooOld},
		"too new":              {with: both, spoil: keep, body: "{}", later: -5*time.Minute - 1, want: signature.ErrTooNew},
		"no id":                {with: both, spoil: set(signature.HeaderID, ""), body: "{}", want: signature.ErrMissingHeader},
		"no timestamp":         {with: both, spoil: set(signature.HeaderTimestamp, ""), body: "{}", want: signature.ErrMissingHeader},
		"no signature":         {with: both, spoil: set(signature.HeaderSignature, ""), body: "{}", want: signature.ErrMissingHeader},
		"a date":               {with: both, spoil: set(signature.HeaderTimestamp, "2026-01-31"), body: "{}", want: signature.ErrTimestamp},
		"milliseconds":         {with: both, spoil: set(signature.HeaderTimestamp, "1769860800000"), body: "{}", want: signature.ErrTooNew},
		"beyond 64 bits":       {with: both, spoil: set(signature.HeaderTimestamp, "99999999999999999999"), body: "{}", want: signature.ErrTimestamp},
		"only v1a":             {with: both, spoil: set(signature.HeaderSignature, "v1a,AAAA"), body: "{}", want: signature.ErrNoMatch},
		"only spaces":          {with: both, spoil: set(signature.HeaderSignature, "  "), body: "{}", want: signature.ErrNoMatch},
		"empty signature":      {with: both, spoil: set(signature.HeaderSignature, "v1,"), body: "{}", want: signature.ErrNoMatch},
		"no version":           {with: both, spoil: set(signature.HeaderSignature, ","), body: "{}", want: signature.ErrNoMatch},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := signed(both, "evt_1", "{}")
			tc.spoil(h)
			require.ErrorIs(t, signature.Verify(tc.with, h, []byte(tc.body), signedAt.Add(tc.later)), tc.want)
		})
	}
}

func TestVerifyPassesOverWhatItDoesNotKnow(t *testing.T) {
	t.Parallel()
	s := []signature.Secret{signature.NewSecret()}
	h := signed(s, "evt_1", "{}")
	h.Set(signature.HeaderSignature, "v1a,xx v2,AAAA v1,!! garbage  "+h.Get(signature.HeaderSignature)+" v1,AAAA")
	require.NoError(t, signature.Verify(s, h, []byte("{}"), signedAt))
}

// TestASignatureIsBase64ToItsEnd: what follows a true signature makes it another.
func TestASignatureIsBase64ToItsEnd(t *testing.T) {
	t.Parallel()
	s := []signature.Secret{signature.NewSecret()}
	for _, more := range []string{"!", "=", "AAAA", ","} {
		h := signed(s, "evt_1", "{}")
		h.Set(signature.HeaderSignature, h.Get(signature.HeaderSignature)+more)
		require.ErrorIs(t, signature.Verify(s, h, []byte("{}"), signedAt), signature.ErrNoMatch, more)
	}
}

func FuzzVerify(f *testing.F) {
	secret, err := signature.ParseSecret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	require.NoError(f, err)
	secrets := []signature.Secret{secret}
	f.Add("evt_1", "1769860800", signature.Sign(secrets, "evt_1", signedAt, []byte("{}")), []byte("{}"))
	f.Add("evt_1", "-1", "v1,AAAA v1a,BBBB", []byte(""))
	f.Add("", "9999999999999999999", ", v1 v1,, v1,====", []byte("\x00"))
	f.Fuzz(func(t *testing.T, id, stamp, list string, body []byte) {
		h := http.Header{"Webhook-Id": {id}, "Webhook-Timestamp": {stamp}, "Webhook-Signature": {list}}
		if signature.Verify(secrets, h, body, signedAt) == nil {
			requireOurs(t, secrets, id, stamp, list, body)
		}
		h.Set(signature.HeaderTimestamp, "1769860800")
		h.Set(signature.HeaderSignature, list+" "+signature.Sign(secrets, id, signedAt, body))
		if id != "" {
			require.NoError(t, signature.Verify(secrets, h, body, signedAt), "ours counts beside any other")
		}
	})
}

// requireOurs says that list holds the signature Sign makes, in any spelling of base64.
func requireOurs(t *testing.T, secrets []signature.Secret, id, stamp, list string, body []byte) {
	t.Helper()
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	require.NoError(t, err)
	ours := strings.TrimPrefix(signature.Sign(secrets, id, time.Unix(seconds, 0), body), "v1,")
	for item := range strings.FieldsSeq(list) {
		mac, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(item, "v1,"))
		if err == nil && base64.StdEncoding.EncodeToString(mac) == ours {
			return
		}
	}
	t.Fatalf("verified without our signature: %q", list)
}
