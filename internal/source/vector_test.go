package source_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

// vectorFile is one provider's requests with the verdict each must get. HOOKLOOP_VECTORS names
// another directory of them.
type vectorFile struct {
	PEM     map[string]string `json:"pem"` // certificates by name
	Vectors []vector          `json:"vectors"`
}

type vector struct {
	Name         string                  `json:"name"`
	Provider     string                  `json:"provider"`
	Now          int64                   `json:"now"`
	Keys         json.RawMessage         `json:"keys"`
	Method       string                  `json:"method"`
	Query        string                  `json:"query"`
	Headers      map[string]headerValues `json:"headers"`
	Body         string                  `json:"body"`
	BodyEncoding string                  `json:"body_encoding"`
	BodySHA256   string                  `json:"body_sha256"`
	Expect       expectation             `json:"expect"`
	Tolerance    int                     `json:"tolerance_s"`
	MustNotFetch bool                    `json:"must_not_fetch"`
	// what a valid signature leaves open
	Weakness any `json:"scheme_weakness"`
}

type expectation struct {
	Valid    bool              `json:"valid"`
	Reason   string            `json:"reason"`
	Response *expectedResponse `json:"response"`
	Events   *[]expectedEvent  `json:"events"` // nil: the signature alone is looked at
}

type expectedResponse struct {
	Status      int             `json:"status"`
	ContentType string          `json:"content_type"`
	Body        *string         `json:"body"`
	JSON        json.RawMessage `json:"json"`
}

type expectedEvent struct {
	Type string `json:"type"`
	Key  string `json:"key"`
}

// headerValues is a header's value, or several of them.
type headerValues []string

func (h *headerValues) UnmarshalJSON(b []byte) error {
	var one string
	if json.Unmarshal(b, &one) == nil {
		*h = headerValues{one}
		return nil
	}
	return json.Unmarshal(b, (*[]string)(h))
}

func (v vector) request(t *testing.T) source.Request {
	t.Helper()
	body := []byte(v.Body)
	if v.BodyEncoding == "base64" {
		var err error
		body, err = base64.StdEncoding.DecodeString(v.Body)
		require.NoError(t, err)
	}
	if v.BodySHA256 != "" {
		sum := sha256.Sum256(body)
		require.Equal(t, v.BodySHA256, hex.EncodeToString(sum[:]), "the vector itself is broken")
	}
	h := http.Header{}
	for name, values := range v.Headers {
		for _, value := range values {
			h.Add(name, value)
		}
	}
	return source.Request{Method: v.Method, Query: v.Query, Header: h, Body: body, Now: time.Unix(v.Now, 0).UTC()}
}
