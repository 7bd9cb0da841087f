package registry

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// openSecret is one signing secret as it is sealed. This is stored data: fields are added, never
// renamed. All of an endpoint's secrets are sealed as one, so that an attempt opens once.
type openSecret struct {
	Secret    string `json:"secret"`
	ExpiresAt int64  `json:"expires_at,omitempty"` // microseconds since 1970; absent: never
}

// SealSecrets seals an endpoint's secrets so that they open for this endpoint only.
func (s *Sealer) SealSecrets(tenant, id string, secrets []webhook.EndpointSecret) ([]byte, error) {
	open := make([]openSecret, len(secrets))
	for i, secret := range secrets {
		open[i].Secret = secret.Secret.Reveal()
		if !secret.ExpiresAt.IsZero() {
			open[i].ExpiresAt = secret.ExpiresAt.UnixMicro()
		}
	}
	plain, err := json.Marshal(open)
	if err != nil {
		return nil, fmt.Errorf("secrets: %w", err)
	}
	return s.Seal(plain, rowName(tenant, id))
}

// OpenSecrets gives back what SealSecrets was given, times to the microsecond.
func (s *Sealer) OpenSecrets(tenant, id string, sealed []byte) ([]webhook.EndpointSecret, error) {
	plain, err := s.Open(sealed, rowName(tenant, id))
	if err != nil {
		return nil, err
	}
	var open []openSecret
	if err := json.Unmarshal(plain, &open); err != nil {
		return nil, ErrSeal // the cause could quote a secret
	}
	secrets := make([]webhook.EndpointSecret, len(open))
	for i, o := range open {
		if secrets[i].Secret, err = signature.ParseSecret(o.Secret); err != nil {
			return nil, ErrSeal
		}
		if o.ExpiresAt != 0 {
			secrets[i].ExpiresAt = time.UnixMicro(o.ExpiresAt).UTC()
		}
	}
	return secrets, nil
}

// SealHeaders seals an endpoint's headers, which may hold its credentials, as text: none is no text
// at all, and costs nothing to read.
func (s *Sealer) SealHeaders(tenant, id string, headers map[string]string) (string, error) {
	if len(headers) == 0 {
		return "", nil
	}
	plain, err := json.Marshal(headers)
	if err != nil {
		return "", fmt.Errorf("headers: %w", err)
	}
	sealed, err := s.Seal(plain, headersOf(tenant, id))
	return base64.StdEncoding.EncodeToString(sealed), err
}

// OpenHeaders gives back what SealHeaders was given.
func (s *Sealer) OpenHeaders(tenant, id, text string) (headers map[string]string, err error) {
	if text == "" {
		return nil, nil
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return nil, ErrSeal
	}
	plain, err := s.Open(sealed, headersOf(tenant, id))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(plain, &headers); err != nil {
		return nil, ErrSeal // the cause could quote them
	}
	return headers, nil
}

// headersOf names the place of an endpoint's headers, which is not that of its secrets.
func headersOf(tenant, id string) []byte { return []byte(tenant + "/" + id + "/headers") }

// rowName names the row that secrets are sealed for. A tenant's id holds no slash, so no two rows
// share a name.
func rowName(tenant, id string) []byte { return []byte(tenant + "/" + id) }

// SealConfig seals a source's config so that it opens for this source only. Ids of sources and
// endpoints begin differently: neither opens in the other's place.
func (s *Sealer) SealConfig(tenant, id string, config signature.Hidden) ([]byte, error) {
	return s.Seal([]byte(config.Reveal()), rowName(tenant, id))
}

// OpenConfig gives back what SealConfig was given.
func (s *Sealer) OpenConfig(tenant, id string, sealed []byte) (signature.Hidden, error) {
	plain, err := s.Open(sealed, rowName(tenant, id))
	if err != nil {
		return signature.Hidden{}, err
	}
	return signature.Hide(string(plain)), nil
}

// Reseal seals with the primary key what another key has sealed for a row. It leaves alone what the
// primary key has sealed and opens.
func (s *Sealer) Reseal(tenant, id string, sealed []byte) ([]byte, error) {
	return s.reseal(sealed, rowName(tenant, id))
}

// ResealHeaders does the same to an endpoint's headers.
func (s *Sealer) ResealHeaders(tenant, id, text string) (string, error) {
	if text == "" {
		return "", nil
	}
	sealed, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		return text, ErrSeal
	}
	sealed, err = s.reseal(sealed, headersOf(tenant, id))
	return base64.StdEncoding.EncodeToString(sealed), err
}

func (s *Sealer) reseal(sealed, associated []byte) ([]byte, error) {
	plain, err := s.Open(sealed, associated)
	if err != nil || s.isPrimary(sealed) {
		return sealed, err
	}
	return s.Seal(plain, associated)
}
