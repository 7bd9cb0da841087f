package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	mathrand "math/rand/v2"
	"net"
	"net/http"
	"time"

	"hookloop/internal/signature"
)

// stage is both applications, and what Hookloop knows of them.
type stage struct {
	hookloop *hookloop
	mautic   *mautic
	scoring  *scoring

	contactID                               int
	source, scoringEndpoint, mauticEndpoint string // ids

	built []func(context.Context) error // how to undo what was built, in order
}

// build starts the applications and tells Hookloop of them.
func (s *stage) build(ctx context.Context) error {
	scores, scoringURL, err := s.listen(ctx)
	if err != nil {
		return err
	}
	contacts, mauticURL, err := s.listen(ctx)
	if err != nil {
		return err
	}
	secret, password := rand.Text(), rand.Text()
	source, err := s.create(ctx, "/sources", mauticSource(secret))
	if err != nil {
		return err
	}
	api, err := s.create(ctx, "/endpoints", mauticEndpoint(mauticURL+"/api", "hookloop", password))
	if err != nil {
		return err
	}
	app, err := s.create(ctx, "/endpoints", scoringEndpoint(scoringURL+"/"))
	if err != nil {
		return err
	}
	s.source, s.mauticEndpoint, s.scoringEndpoint = source.ID, api.ID, app.ID
	// A contact of its own for each run: Hookloop may still expect the echo of one that was broken off.
	s.contactID = 1 + mathrand.IntN(1_000_000)
	s.mautic = newMautic(s.contactID, secret, source.IngestURL, "hookloop", password)
	s.scoring = &scoring{hookloop: s.hookloop, receipts: make(chan receipt, 16)}
	if s.scoring.secret, err = signature.ParseSecret(app.Secret); err != nil {
		return err
	}
	go serve(scores, s.scoring)
	go serve(contacts, s.mautic.api())
	go s.mautic.cron(ctx, time.Second)
	return nil
}

// listen opens a free port of the loopback.
func (s *stage) listen(ctx context.Context) (net.Listener, string, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, "", err
	}
	s.built = append(s.built, func(context.Context) error { return l.Close() })
	return l, "http://" + l.Addr().String(), nil
}

// serve ends with the listener.
func serve(l net.Listener, h http.Handler) {
	_ = (&http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}).Serve(l)
}

// created is what Hookloop answers of a new source or endpoint.
type created struct {
	ID        string
	IngestURL string `json:"ingest_url"` // of a source: where Mautic's webhook is to send
	Secret    string // of an endpoint: what its deliveries are signed with
}

// create makes a source or an endpoint, to be deleted at the end. An interrupt waits for the id by which to
// delete it.
func (s *stage) create(ctx context.Context, kind string, config any) (c created, err error) {
	if err := s.hookloop.call(context.WithoutCancel(ctx), http.MethodPost, kind, nil, config, &c); err != nil {
		return c, err
	}
	s.built = append(s.built, func(ctx context.Context) error {
		return s.hookloop.call(ctx, http.MethodDelete, kind+"/"+c.ID, nil, nil, nil)
	})
	return c, nil
}

// clear undoes what was built, the last first.
func (s *stage) clear(ctx context.Context) error {
	var failed error
	for len(s.built) > 0 {
		last := len(s.built) - 1
		if err := s.built[last](ctx); err != nil {
			failed = errors.Join(failed, fmt.Errorf("left behind: %w", err))
		}
		s.built = s.built[:last]
	}
	return failed
}
