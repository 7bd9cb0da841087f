package signature_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/signature"
)

func TestParseSecret(t *testing.T) {
	t.Parallel()
	of := func(n int) string {
		return "whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte{0xfb}, n))
	}
	for name, tc := range map[string]struct {
		text string
		ok   bool
	}{
		"published":     {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true},
		"24 bytes":      {of(24), true},
		"64 bytes":      {of(64), true},
		"23 bytes":      {of(23), false},
		"65 bytes":      {of(65), false},
		"empty":         {"", false},
		"only prefix":   {"whsec_", false},
		"no prefix":     {"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
		"other prefix":  {"whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
		"upper prefix":  {"WHSEC_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", false},
		"url alphabet":  {strings.ReplaceAll(of(24), "+", "-"), false},
		"no padding":    {strings.TrimRight(of(25), "="), false},
		"not base64":    {"whsec_" + strings.Repeat("!", 32), false},
		"space in it":   {"whsec_MfKQ9r8GKYqrTwjU PD8ILPZIo2LaLaSw", false},
		"space outside": {" " + of(32), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s, err := signature.ParseSecret(tc.text)
			if !tc.ok {
				require.ErrorIs(t, err, signature.ErrSecret)
				require.True(t, s.IsZero())
				return
			}
			require.NoError(t, err)
			require.Equal(t, tc.text, s.Reveal())
		})
	}
}

func TestNewSecret(t *testing.T) {
	t.Parallel()
	s := signature.NewSecret()
	require.NotEqual(t, s.Reveal(), signature.NewSecret().Reveal())
	again, err := signature.ParseSecret(s.Reveal())
	require.NoError(t, err)
	require.Equal(t, s, again)
	require.False(t, s.IsZero())
	require.True(t, signature.Secret{}.IsZero())
}

func TestSecretNeverPrints(t *testing.T) {
	t.Parallel()
	s, err := signature.ParseSecret("whsec_" + base64.StdEncoding.EncodeToString(bytes.Repeat([]byte("k"), 24)))
	require.NoError(t, err)
	type holder struct {
		Shown  signature.Secret
		hidden signature.Secret // fmt prints it without asking its methods
		List   []signature.Secret
		Map    map[string]signature.Secret
		Ptr    *signature.Secret
	}
	h := holder{Shown: s, hidden: s, List: []signature.Secret{s}, Map: map[string]signature.Secret{"a": s}, Ptr: &s}
	require.False(t, h.hidden.IsZero())

	var printed []string
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%o", "%b", "%c", "%U", "%e", "%t", "%10.3v"} {
		for _, value := range []any{s, &s, h, &h, []signature.Secret{s}, any(s)} {
			printed = append(printed, fmt.Sprintf(verb, value))
		}
	}
	printed = append(printed, fmt.Sprint(s), fmt.Sprintln(h), fmt.Errorf("endpoint: %v", s).Error())
	encoded, err := json.Marshal(h)
	require.NoError(t, err)
	inXML, err := xml.Marshal(s)
	require.NoError(t, err)
	var log bytes.Buffer
	for _, handler := range []slog.Handler{slog.NewTextHandler(&log, nil), slog.NewJSONHandler(&log, nil)} {
		slog.New(handler).Info("x", "value", s, "ptr", &s, "holder", h, slog.Group("g", "s", s))
	}
	for _, text := range append(printed, string(encoded), string(inXML), log.String()) {
		for _, leak := range []string{
			// base64
			strings.TrimPrefix(s.Reveal(), "whsec_"),
			// its bytes by verb
			"kkkk", "107 107", "6b6b6b6b6b6b6b", "6B6B6B6B6B6B6B", "0x6b, 0x6b", "153 153", "1101011 1101011", "U+006B U+006B",
		} {
			require.NotContains(t, text, leak)
		}
	}
	require.Equal(t, "whsec_***", fmt.Sprintf("%d", s))
	require.Contains(t, string(encoded), `"Shown":"whsec_***"`)
	require.Error(t, json.Unmarshal(encoded, &h), "what is hidden cannot come back as a secret")
}
