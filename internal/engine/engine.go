// Package engine runs Temporal and its UI inside this process, on two SQLite files below one
// folder: for `hookloop dev` and for tests that want the real thing. It decides how that Temporal
// is stored, tuned and kept on loopback; what runs on it is the business of its callers. Two
// engines must never share a folder: the caller holds the lock.
package engine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"go.temporal.io/server/temporal"
	"google.golang.org/grpc"

	"hookloop/internal/engine/inprocess"
	"hookloop/internal/webhook"
)

const (
	// defaultNamespace is the one every Temporal tool assumes when told nothing.
	defaultNamespace = "default"
	// stopTimeout bounds Stop. Temporal needs 1 to 3 s; a stuck one must not hold up Ctrl-C, and
	// what it had not stored it has not acknowledged.
	stopTimeout = 15 * time.Second
)

// Config says where the engine keeps its data and where it listens.
type Config struct {
	// Dir holds temporal.db and visibility.db. It is made (0700) if missing.
	Dir string
	// Listen is the frontend's host:port, loopback only, because nothing here authenticates. Port 0
	// picks one.
	Listen string
	// UIListen is the UI's host:port, loopback only. Port 0 picks one; empty: no UI.
	UIListen string
	// UIPanel is the URL of a page that the UI shows on the page of each workflow, with the
	// workflow's id as ?workflow=. It is on loopback and ours: it runs as if alone in its tab.
	// Empty: there is none.
	UIPanel string
	// Namespace is made at the first start. Empty: "default".
	Namespace string
	// Retention is how long closed workflows are kept, fixed when the namespace is made. Zero: 30
	// days.
	Retention time.Duration
	// SearchAttributes names the keyword attributes of the namespace, in the order of the columns
	// behind them: the first is Keyword01. Names may be appended between starts, never moved.
	SearchAttributes []string
	// ContinueAsNewAfter is how many events a history has when its workflow is asked to go on
	// as a new run. Zero: 4,096, as Temporal has it. Tests set it, for they cannot wait for
	// so many.
	ContinueAsNewAfter int
	// KeptWorkflows bounds the workflows that the SDK's workers of this process keep in memory
	// between two tasks, all of them together. Temporal's own workers are the first to start, and
	// the first decides. Zero: the SDK's 10,000.
	KeptWorkflows int
	// StoreFaults make Temporal's stores fail now and then. Nil: they do not. Tests set it.
	StoreFaults *StoreFaults
	// Logger takes what Temporal says at warning and above. Nil: nothing is logged.
	Logger *slog.Logger
}

// Engine is a running Temporal server with, if asked for, its UI.
type Engine struct {
	cfg    Config
	dbs    []database
	pools  []*pool // of the same
	calls  inprocess.Services
	whose  principals
	server temporal.Server
	ui     *ui
	log    logger
	uiURL  string

	stop    sync.Once
	stopErr error
}

// Start returns once the frontend answers. An address that is taken, a folder that cannot be
// written or holds something else, and a failing Temporal are each one error.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	cfg, err := cfg.complete()
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	ports, err := reserve(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("engine: %w", err)
	}
	defer ports.release()
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("engine: data folder: %w", err)
	}
	e := &Engine{cfg: cfg, dbs: databases(cfg.Dir), log: newLogger(cfg.Logger), whose: newPrincipals()}
	if err := e.start(ctx, ports); err != nil {
		for _, p := range e.pools {
			_ = p.close() // err says what went wrong
		}
		return nil, fmt.Errorf("engine: %w", e.log.because(err))
	}
	return e, nil
}

func (e *Engine) start(ctx context.Context, ports *ports) error {
	for _, db := range e.dbs {
		if err := db.prepare(ctx, len(e.cfg.SearchAttributes)); err != nil {
			return fmt.Errorf("%s: %w", db.path, err)
		}
		p, err := openPool(db)
		if err != nil {
			return fmt.Errorf("%s: %w", db.path, err)
		}
		e.pools = append(e.pools, p)
	}
	if err := ensureNamespace(ctx, e.dbs[executions].sql(), e.cfg); err != nil {
		return fmt.Errorf("namespace %s: %w", e.cfg.Namespace, err)
	}
	e.cfg.Listen = ports.frontend.address()
	if err := e.startServer(ctx, ports); err != nil {
		return err
	}
	err := awaitFrontend(ctx, e.cfg)
	if err == nil {
		err = e.startUI(ctx, ports)
	}
	if err != nil {
		return errors.Join(err, e.Stop())
	}
	return nil
}

// HostPort is where SDK clients connect.
func (e *Engine) HostPort() string { return e.cfg.Listen }

// DialOptions let an SDK client in this process call the engine without the network, with all that
// a call passes through on either side. Without them it connects to HostPort like other clients.
func (e *Engine) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{grpc.WithChainUnaryInterceptor(sayForWhom, e.calls.Intercept)}
}

// UIURL is where people look, without a slash at its end; empty without a UI.
func (e *Engine) UIURL() string { return e.uiURL }

// Namespace is the one namespace made for Hookloop.
func (e *Engine) Namespace() string { return e.cfg.Namespace }

// Failed yields at most one error: Temporal called it fatal and can no longer be trusted, so the
// process should stop in good order. Temporal itself would have ended the process on the spot.
func (e *Engine) Failed() <-chan error { return e.log.fatal }

// Stop stops the UI, then the server. It returns within 15 s, may be called again, and returns the
// same again.
func (e *Engine) Stop() error {
	e.stop.Do(func() {
		e.log.stopping.Store(true)
		e.ui.stop()
		e.stopErr = e.stopServer()
	})
	return e.stopErr
}

func (e *Engine) stopServer() error {
	stopped := make(chan error, 1)
	go func() { stopped <- e.server.Stop() }()
	select {
	case err := <-stopped:
		if err != nil {
			return fmt.Errorf("engine: stop: %w", err)
		}
	case <-time.After(stopTimeout):
		return fmt.Errorf("engine: stop: still running after %s", stopTimeout)
	}
	for i, db := range e.dbs {
		if err := errors.Join(e.pools[i].close(), db.checkpoint()); err != nil {
			return fmt.Errorf("engine: stop: %s: %w", db.path, err)
		}
	}
	return nil
}

func (c Config) complete() (Config, error) {
	if c.Dir == "" || c.Listen == "" {
		return c, errors.New("config needs Dir and Listen")
	}
	dir, err := filepath.Abs(c.Dir)
	if err != nil {
		return c, fmt.Errorf("data folder: %w", err)
	}
	c.Dir = dir
	c.Namespace = cmp.Or(c.Namespace, defaultNamespace)
	c.Retention = cmp.Or(c.Retention, webhook.DefaultRetention)
	c.Logger = cmp.Or(c.Logger, slog.New(slog.DiscardHandler))
	return c, nil
}
