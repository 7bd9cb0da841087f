package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"slices"
	"strings"

	"hookloop/internal/webhook"
)

// Fetcher gets a public document: by https only from where the third party is known to keep it,
// with no redirect followed, bounded in size and time. sender.Fetcher is one.
type Fetcher interface {
	Get(ctx context.Context, url string) ([]byte, error)
}

// Config is what providers share.
type Config struct {
	Fetch Fetcher

	GoogleKeys Keys   // those that Google signs its tokens with; nil: none can be verified
	PayPalCAs  []byte // PEM of what PayPal's certificates must lead to; empty: the system's
}

// Providers makes a Provider of each source's config, and keeps what they share: the keys and
// certificates third parties publish.
type Providers struct {
	google Keys
	paypal *paypalCertificates
}

// New makes Providers. It fetches nothing yet.
func New(c Config) (*Providers, error) {
	if c.Fetch == nil {
		return nil, errors.New("source: Fetch is missing")
	}
	certificates, err := newPaypalCertificates(c.Fetch, c.PayPalCAs)
	if err != nil {
		return nil, err
	}
	return &Providers{google: c.GoogleKeys, paypal: certificates}, nil
}

// kind is a line of the table: a provider before it knows its config.
type kind struct {
	make func(*Providers) configured
	// dropsOnError says that they forget an event to which we answered with an error, and keep one
	// whose connection broke off.
	dropsOnError bool
}

// configured is a provider with its config, which can be wrong. The config is the provider: its
// JSON is decoded into it.
type configured interface {
	Provider
	check() error // a webhook.Invalid error that names the field
}

var kinds = map[string]kind{
	"mautic":            {make: func(*Providers) configured { return &mautic{} }, dropsOnError: true},
	"stripe":            {make: func(*Providers) configured { return &stripe{} }},
	"paypal":            {make: func(p *Providers) configured { return &paypal{certificates: p.paypal} }},
	"x":                 {make: func(*Providers) configured { return &x{} }},
	"meta":              {make: func(*Providers) configured { return &meta{} }},
	"google-channel":    {make: func(*Providers) configured { return &googleChannel{} }},
	"google-pubsub":     {make: func(p *Providers) configured { return &googlePubsub{keys: p.google} }},
	"github":            {make: func(*Providers) configured { return &github{} }},
	"shopify":           {make: func(*Providers) configured { return &shopify{} }},
	"slack":             {make: func(*Providers) configured { return &slack{} }},
	"standard-webhooks": {make: func(*Providers) configured { return &standardWebhooks{} }},
	"hmac":              {make: func(*Providers) configured { return &generic{} }},
}

// Names lists the providers.
func Names() []string { return slices.Sorted(maps.Keys(kinds)) }

// DropsOnError says whether a provider forgets what we answer with an error.
func DropsOnError(name string) bool { return kinds[name].dropsOnError }

// Provider reads a source's config. Its error names the field that is wrong, and never quotes it.
func (p *Providers) Provider(name string, config json.RawMessage) (Provider, error) {
	return p.read(name, config)
}

// Shown is a config as people may see it: every secret is ***.
func (p *Providers) Shown(name string, config json.RawMessage) (json.RawMessage, error) {
	c, err := p.read(name, config)
	if err != nil {
		return nil, err
	}
	return json.Marshal(c)
}

func (p *Providers) read(name string, config json.RawMessage) (configured, error) {
	k, ok := kinds[name]
	if !ok {
		return nil, webhook.Invalidf("provider", "must be one of %s", strings.Join(Names(), ", "))
	}
	c := k.make(p)
	dec := json.NewDecoder(bytes.NewReader(config))
	dec.DisallowUnknownFields()
	if err := dec.Decode(c); err != nil {
		return nil, badConfig(err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, webhook.Invalidf("config", "goes on after the JSON object")
	}
	return c, c.check()
}

// badConfig says what is wrong in our words: encoding/json may quote a secret.
func badConfig(err error) error {
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok && wrong.Field != "" {
		return webhook.Invalidf("config."+wrong.Field, "must not be a JSON %s", wrong.Value)
	}
	if name, ok := strings.CutPrefix(err.Error(), "json: unknown field "); ok {
		return webhook.Invalidf("config."+strings.Trim(name, `"`), "is not a field of this provider's config")
	}
	return webhook.Invalidf("config", "must be a JSON object")
}
