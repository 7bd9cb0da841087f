package statements

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	lru "github.com/hashicorp/golang-lru/v2/simplelru"
)

// Kept bounds the statements a connection keeps. Temporal's own texts are some 120; the rest are
// lists of as many shapes as people ask questions, and the one not used for longest makes room.
const Kept = 256

// cache holds the statements of one connection by their text. SQLite itself compiles a statement
// anew when the schema has changed under it.
type cache struct {
	on       driver.ConnPrepareContext
	compiled *atomic.Int64
	kept     *lru.LRU[string, *statement]
}

// statement is compiled. One that runs is not given to another caller: the same text is compiled a
// second time for as long as it runs twice.
type statement struct {
	compiled
	text  string
	runs  bool
	loose bool // not in the cache, or no longer: closed when it has run
}

type compiled interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

func newCache(on driver.ConnPrepareContext, compiled *atomic.Int64) cache {
	kept, _ := lru.NewLRU(Kept, func(_ string, s *statement) { // it only refuses a size below one
		s.loose = true
		s.closeIfDone()
	})
	return cache{on: on, compiled: compiled, kept: kept}
}

// take gives the caller a statement of its own, until giveBack or drop.
func (c *cache) take(ctx context.Context, text string) (*statement, error) {
	known, ok := c.kept.Get(text)
	if ok && !known.runs {
		known.runs = true
		return known, nil
	}
	prepared, err := c.on.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	c.compiled.Add(1)
	inner, can := prepared.(compiled)
	if !can {
		return nil, errors.Join(fmt.Errorf("statements: %T lacks an interface", prepared), prepared.Close())
	}
	s := &statement{compiled: inner, text: text, runs: true, loose: ok}
	if !ok {
		c.kept.Add(text, s)
	}
	return s, nil
}

// giveBack ends the use of a statement that did what it should.
func (c *cache) giveBack(s *statement) {
	s.runs = false
	s.closeIfDone()
}

// drop ends the use of a statement that failed or was interrupted: the next caller gets a new one.
func (c *cache) drop(s *statement) {
	if !s.loose {
		c.kept.Remove(s.text)
	}
	c.giveBack(s)
}

func (c *cache) purge() { c.kept.Purge() }

func (s *statement) closeIfDone() {
	if s.loose && !s.runs {
		_ = s.Close() // it repeats what went wrong when it ran, which was said then
	}
}
