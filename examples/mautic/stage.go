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

	"hookloop/api"
	"hookloop/client"
	"hookloop/internal/signature"
)

// stage is both applications, and what Hookloop knows of them.
type stage struct {
	hookloop *client.Client
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
	source, err := s.createSource(ctx, mauticSource(secret))
	if err != nil {
		return err
	}
	contactAPI, err := s.createEndpoint(ctx, mauticEndpoint(mauticURL+"/api", "hookloop", password))
	if err != nil {
		return err
	}
	app, err := s.createEndpoint(ctx, scoringEndpoint(scoringURL+"/"))
	if err != nil {
		return err
	}
	s.source, s.mauticEndpoint, s.scoringEndpoint = source.ID, contactAPI.ID, app.ID
	// A contact of its own for each run: Hookloop may still expect the echo of one that was broken
	// off.
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

// createSource makes a source, to be deleted at the end. An interrupt waits for the id by which to
// delete it.
func (s *stage) createSource(ctx context.Context, n api.NewSource) (api.Source, error) {
	made, err := s.hookloop.Sources.Create(n).Do(context.WithoutCancel(ctx))
	if err == nil {
		s.undo(s.hookloop.Sources.Delete(made.ID))
	}
	return made, err
}

// createEndpoint does the same for an endpoint.
func (s *stage) createEndpoint(ctx context.Context, n api.NewEndpoint) (api.Endpoint, error) {
	made, err := s.hookloop.Endpoints.Create(n).Do(context.WithoutCancel(ctx))
	if err == nil {
		s.undo(s.hookloop.Endpoints.Delete(made.ID))
	}
	return made, err
}

func (s *stage) undo(call client.Call[client.None]) {
	s.built = append(s.built, func(ctx context.Context) error {
		_, err := call.Do(ctx)
		return err
	})
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
