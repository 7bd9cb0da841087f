package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/endpointtest"
	"hookloop/internal/signature"
	"hookloop/internal/webhook"
)

// peer is an application that keeps values, takes changes as an endpoint, and tells of every change
// as a source, those it was told included: the worst that can be closed into a loop. It tells in
// the order in which its values changed.
type peer struct {
	t        *testing.T
	name     string
	ingest   string
	secret   signature.Secret
	endpoint string // its id

	mu       sync.Mutex
	values   map[string]string
	received int
	emitted  int
	answered int
	queue    chan []byte
}

// change is what peers tell: the data of Hookloop's envelope, in an envelope of their own.
type change struct {
	ID    string `json:"id"`
	Value string `json:"value"`
}

const peerQueue = 10_000

func (a app) peer(t *testing.T, name string) *peer {
	t.Helper()
	p := &peer{t: t, name: name, secret: signature.NewSecret(), values: map[string]string{}, queue: make(chan []byte, peerQueue)}
	var s struct {
		IngestURL string `json:"ingest_url"`
	}
	a.call(t, http.StatusCreated, http.MethodPost, "/sources", fmt.Sprintf(`{"provider":"standard-webhooks","name":%q,"type_prefix":%q,
		"application":%[1]q,"echo":{"key":".data.id","value":".data.value"},"config":{"secrets":[%[3]q]}}`, name, name, p.secret.Reveal()), &s)
	p.ingest = s.IngestURL
	server, e := a.listen(t, endpointtest.Config{OnReceipt: p.take, Forget: true},
		fmt.Sprintf(`,"application":%q,"echo":{"key":".data.data.id","value":".data.data.value"}`, name))
	require.NotNil(t, server)
	p.endpoint = e.ID
	done := make(chan struct{})
	go p.emit(done)
	t.Cleanup(func() {
		close(p.queue)
		<-done
	})
	return p
}

// edit is what a person does.
func (p *peer) edit(id, value string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.set(id, value)
}

// take is a delivery. Whatever value it brings, the application tells of it before it answers.
func (p *peer) take(r endpointtest.Receipt) {
	var envelope struct {
		Data struct{ Data change }
	}
	if r.Verified != nil || json.Unmarshal(r.Body, &envelope) != nil {
		p.t.Errorf("%s got what it cannot read: %v %s", p.name, r.Verified, r.Body)
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.received++
	p.set(envelope.Data.Data.ID, envelope.Data.Data.Value)
}

func (p *peer) set(id, value string) {
	p.values[id] = value
	p.emitted++
	body, _ := json.Marshal(map[string]any{"type": "contact.changed", "timestamp": time.Now().UTC(), "data": change{id, value}})
	p.queue <- body
}

// emit posts one after the other, and each until it is taken.
func (p *peer) emit(done chan<- struct{}) {
	defer close(done)
	n := 0
	for body := range p.queue {
		n++
		for !p.post(fmt.Sprintf("%s-%d", p.name, n), body) {
			if p.t.Context().Err() != nil {
				return
			}
		}
		p.mu.Lock()
		p.answered++
		p.mu.Unlock()
	}
}

func (p *peer) post(id string, body []byte) bool {
	now := time.Now()
	req, err := http.NewRequestWithContext(p.t.Context(), http.MethodPost, p.ingest, bytes.NewReader(body))
	if err != nil {
		return false
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set(signature.HeaderID, id)
	req.Header.Set(signature.HeaderTimestamp, fmt.Sprint(now.Unix()))
	req.Header.Set(signature.HeaderSignature, signature.Sign([]signature.Secret{p.secret}, id, now, body))
	resp, err := appClient.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// counts are taken together.
func (p *peer) counts() (received, emitted, answered int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.received, p.emitted, p.answered
}

func (p *peer) snapshot() map[string]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.values)
}

// quiet waits until all that the peers said has been taken and all of that has been delivered, and
// gives the number of events that brought a peer once more what it had lost. A peer speaks before
// it answers: then nothing is under way, and nothing will follow.
func (a app) quiet(t *testing.T, peers ...*peer) (repeats int) {
	t.Helper()
	known := map[string]bool{} // events that have ended, and whether they are repeats
	eventually(t, "the traffic stops", func() bool {
		said, done := saidOf(peers)
		if !done {
			return false
		}
		a.lookAtEnded(t, known)
		repeats = 0
		for _, isRepeat := range known {
			if isRepeat {
				repeats++
			}
		}
		again, _ := saidOf(peers)
		return len(known) == said+repeats && again == said && len(a.listEvents(t, "delivering")) == 0
	})
	return repeats
}

// saidOf counts what peers told, and whether all of it was taken.
func saidOf(peers []*peer) (n int, done bool) {
	done = true
	for _, p := range peers {
		_, emitted, answered := p.counts()
		n += emitted
		done = done && emitted == answered
	}
	return n, done
}

// lookAtEnded adds the events that have ended since.
func (a app) lookAtEnded(t *testing.T, known map[string]bool) {
	t.Helper()
	for _, id := range a.listEvents(t, "delivered") {
		if _, seen := known[id]; seen {
			continue
		}
		var e struct{ Origin webhook.Origin }
		a.call(t, http.StatusOK, http.MethodGet, "/events/"+id, "", &e)
		known[id] = e.Origin.Repeats != ""
	}
}

func (a app) listEvents(t *testing.T, status string) (ids []string) {
	t.Helper()
	cursor := ""
	for {
		var page struct {
			Data []struct{ ID string }
			Next string `json:"next_cursor"`
		}
		a.call(t, http.StatusOK, http.MethodGet, "/events?limit=250&status="+status+"&cursor="+cursor, "", &page)
		for _, e := range page.Data {
			ids = append(ids, e.ID)
		}
		if page.Next == "" {
			return ids
		}
		cursor = page.Next
	}
}
