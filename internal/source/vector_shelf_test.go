package source_test

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/source"
)

// shelf is a Fetcher with a few documents on it, by URL.
type shelf struct {
	documents map[string][]byte
	fetched   atomic.Int64
}

func (s *shelf) Get(_ context.Context, url string) ([]byte, error) {
	s.fetched.Add(1)
	document, ok := s.documents[url]
	if !ok {
		return nil, errors.New("no such document")
	}
	return document, nil
}

const googleKeysURL = "https://www.googleapis.com/oauth2/v3/certs"

func (k vectorKeys) shelf(certificates map[string]string) *shelf {
	s := &shelf{documents: map[string][]byte{}}
	if k.JWKS != nil {
		s.documents[googleKeysURL] = k.JWKS
	}
	for url, name := range k.Certs {
		document, known := certificates[name]
		if !known { // what stands there is no certificate
			document = name
		}
		s.documents[url] = []byte(document)
	}
	return s
}

func (k vectorKeys) authorities(t *testing.T, certificates map[string]string) []byte {
	t.Helper()
	var all strings.Builder
	for _, name := range slices.Concat(k.Trust.Roots, k.Trust.Intermediates) {
		require.Contains(t, certificates, name)
		all.WriteString(certificates[name] + "\n")
	}
	return []byte(all.String())
}

func (v vector) provider(t *testing.T, k vectorKeys, c source.Config) (source.Provider, error) {
	t.Helper()
	all, err := source.New(c)
	require.NoError(t, err)
	name, config := v.config(t, k)
	raw, err := json.Marshal(config)
	require.NoError(t, err)
	p, err := all.Provider(name, raw)
	if err != nil {
		require.NotContains(t, err.Error(), "is not a field", "the vector's keys are not translated")
	}
	return p, err
}
