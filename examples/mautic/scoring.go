package main

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"time"

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/signature"
)

const scoreType = "score.computed"

// scoring is the second application: it hears of contacts and answers with events of its own.
type scoring struct {
	hookloop *client.Client
	secret   signature.Secret
	receipts chan receipt
}

// receipt is a delivery, and the event that was posted in answer to it.
type receipt struct {
	eventID string
	answer  string // the id of that event
	score   score
	err     error
}

// score is the data of that event.
type score struct {
	ContactID int     `json:"contact_id"`
	Score     float64 `json:"score"`
	Grade     string  `json:"grade"`
}

// ServeHTTP takes one delivery. What is not answered with 2xx Hookloop delivers again.
func (s *scoring) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	got := receipt{eventID: r.Header.Get(signature.HeaderID)}
	status := http.StatusNoContent
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 2<<20))
	if err == nil {
		err = signature.Verify([]signature.Secret{s.secret}, r.Header, body, time.Now())
	}
	if err != nil {
		status = http.StatusUnauthorized
	} else if err = s.answer(r, body, &got); err != nil {
		status = http.StatusServiceUnavailable
	}
	got.err = err
	s.receipts <- got
	w.WriteHeader(status)
}

// answer posts the score of a contact. The idempotency key makes it one event even if the delivery
// comes twice; Hookloop-Hops, passed on, lets Hookloop stop a loop that no echo explains.
func (s *scoring) answer(r *http.Request, body []byte, got *receipt) error {
	var envelope struct {
		Data struct{ Contact webhookContact }
	}
	if err := json.Unmarshal(body, &envelope); err != nil {
		return err
	}
	got.score = scoreOf(envelope.Data.Contact)
	data, err := json.Marshal(got.score)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(r.Context(), 10*time.Second)
	defer cancel()
	event := api.NewEvent{Type: scoreType, Data: data}
	posted, err := s.hookloop.Events.Send(event).IdempotencyKey("score-of-" + got.eventID).Hops(r.Header).Do(ctx)
	got.answer = posted.ID
	return err
}

// webhookContact is a contact as Mautic's webhooks have it.
type webhookContact struct {
	ID     int
	Fields struct {
		Core map[string]struct{ Value *string }
	}
}

func scoreOf(c webhookContact) score {
	worth := map[string]float64{"firstname": 12.5, "lastname": 12.5, "email": 25, "company": 37.5}
	all := score{ContactID: c.ID, Grade: "B"}
	for alias, points := range worth {
		if f := c.Fields.Core[alias]; f.Value != nil && *f.Value != "" {
			all.Score += points
		}
	}
	if all.Score > 75 {
		all.Grade = "A"
	}
	return all
}
