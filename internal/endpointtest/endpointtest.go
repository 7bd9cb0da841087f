// Package endpointtest is a scripted endpoint: it receives deliveries, verifies their signatures
// and misbehaves as told. Tests run it as a real server, `hookloop listen` serves its handler. What
// it decides of a request it keeps in a Receipt; showing one is for others.
package endpointtest

import (
	"context"
	"errors"
	"io"
	"maps"
	"net/http"
	"slices"
	"sync"
	"time"

	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// ErrUnverified is the Receipt.Verified of an endpoint without secrets to verify with.
var ErrUnverified = errors.New("no secret to verify with")

// maxBody bounds a delivery we read: the largest event in its envelope, and room to spare.
const maxBody = webhook.MaxData + 1<<20

// Config says how the endpoint behaves. The zero Config takes everything with 200.
type Config struct {
	Script    string             // as ParseScript reads it; empty: 200 forever
	Delay     time.Duration      // before each answer
	Header    http.Header        // of each answer, e.g. Retry-After
	Body      string             // of each answer
	Secrets   []signature.Secret // any one that matches verifies; none: receipts are ErrUnverified
	Now       func() time.Time   // the verifier's clock; nil: time.Now
	OnReceipt func(Receipt)      // called as requests arrive, also several at once; nil: none
	Forget    bool               // keep no receipts, only pass them to OnReceipt: for an endpoint that runs for days
}

// Receipt is one request as it arrived. It is made before the answer is sent.
type Receipt struct {
	ID       string // the webhook-id
	At       time.Time
	Header   http.Header
	Body     []byte
	Verified error // nil: signed with one of the secrets, just now
	Status   int   // answered; 0: the script hangs or drops the connection
}

// Endpoint is the handler. It is safe for concurrent use.
type Endpoint struct {
	cfg    Config
	script Script

	mu       sync.Mutex
	secrets  []signature.Secret
	count    int
	receipts []Receipt
	arrived  chan struct{} // closed, and made anew, with each receipt
}

// New reads the script and is ready to serve.
func New(cfg Config) (*Endpoint, error) {
	script, err := ParseScript(cfg.Script)
	if err != nil {
		return nil, err
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.OnReceipt == nil {
		cfg.OnReceipt = func(Receipt) {}
	}
	return &Endpoint{cfg: cfg, script: script, secrets: cfg.Secrets, arrived: make(chan struct{})}, nil
}

// Trust replaces the secrets, for an endpoint that learns its secret after it listens.
func (e *Endpoint) Trust(secrets ...signature.Secret) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.secrets = secrets
}

// Mend lets the endpoint take everything from now on.
func (e *Endpoint) Mend() { e.Follow(Script{}) }

// Follow begins another script.
func (e *Endpoint) Follow(s Script) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.script, e.count = s, 0
}

// ServeHTTP takes one delivery.
func (e *Endpoint) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "deliveries are posted", http.StatusMethodNotAllowed)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	if err != nil {
		http.Error(w, "the body cannot be read", http.StatusBadRequest)
		return
	}
	e.answer(w, r, e.receive(r, body))
}

func (e *Endpoint) receive(r *http.Request, body []byte) int {
	e.mu.Lock()
	answer := e.script.answer(e.count)
	e.count++
	receipt := Receipt{
		ID: r.Header.Get(signature.HeaderID), At: e.cfg.Now(), Header: r.Header.Clone(), Body: body,
		Verified: ErrUnverified, Status: max(answer, 0),
	}
	if len(e.secrets) > 0 {
		receipt.Verified = signature.Verify(e.secrets, r.Header, body, receipt.At)
	}
	if !e.cfg.Forget {
		e.receipts = append(e.receipts, receipt)
	}
	close(e.arrived)
	e.arrived = make(chan struct{})
	e.mu.Unlock()

	e.cfg.OnReceipt(receipt)
	return answer
}

func (e *Endpoint) answer(w http.ResponseWriter, r *http.Request, answer int) {
	if e.cfg.Delay > 0 {
		select {
		case <-time.After(e.cfg.Delay):
		case <-r.Context().Done():
			return
		}
	}
	switch answer {
	case hang:
		<-r.Context().Done()
		panic(http.ErrAbortHandler) // a return would answer 200
	case hangUp:
		panic(http.ErrAbortHandler) // net/http's way to break a connection
	}
	maps.Copy(w.Header(), e.cfg.Header)
	w.WriteHeader(answer)
	_, _ = io.WriteString(w, e.cfg.Body) // the client may be gone
}

// Receipts are those so far, in order of arrival.
func (e *Endpoint) Receipts() []Receipt {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Clone(e.receipts)
}

// Wait gives the receipts as soon as there are at least n, or what there is and ctx's error.
func (e *Endpoint) Wait(ctx context.Context, n int) ([]Receipt, error) {
	for {
		e.mu.Lock()
		got, arrived := slices.Clone(e.receipts), e.arrived
		e.mu.Unlock()
		if len(got) >= n {
			return got, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}
