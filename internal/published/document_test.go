package published_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/published"
)

// server publishes words, and takes a moment for that.
type server struct {
	words  atomic.Pointer[[]string]
	down   atomic.Bool
	takes  time.Duration
	served atomic.Int64
}

func (s *server) load(context.Context) ([]string, error) {
	s.served.Add(1)
	pass(s.takes)
	if s.down.Load() {
		return nil, errors.New("down")
	}
	return *s.words.Load(), nil
}

func (s *server) publish(words ...string) { s.words.Store(&words) }

// pass lets the time of a bubble pass.
func pass(d time.Duration) { time.Sleep(d) }

func has(word string) func([]string) bool {
	return func(all []string) bool { return slices.Contains(all, word) }
}

func (s *server) document() *published.Document[[]string] {
	return published.New(published.Config[[]string]{Load: s.load, Fresh: 24 * time.Hour, Oldest: 24 * time.Hour})
}

// ask asks for a word so many times a second, and for one that does not exist five times as often
// if there is a stranger, until the word is found. It says how long that took.
func ask(ctx context.Context, d *published.Document[[]string], word string, perSecond int, stranger bool) time.Duration {
	began := time.Now()
	tick := time.NewTicker(time.Second / time.Duration(perSecond))
	defer tick.Stop()
	for {
		if stranger {
			for range 5 {
				go func() { _, _ = d.Find(ctx, time.Now(), has("made up")) }()
			}
		}
		within, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		_, err := d.Find(within, time.Now(), has(word))
		cancel()
		if err == nil || time.Since(began) > time.Hour {
			return time.Since(began)
		}
		<-tick.C
	}
}

// TestBelievedWithinHalfAMinute: a new word counts, and so does a server that comes back, at any
// rate of requests, with or without a stranger's.
func TestBelievedWithinHalfAMinute(t *testing.T) {
	t.Parallel()
	for _, perSecond := range []int{1, 20, 500} {
		for _, stranger := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				s := &server{takes: 3 * time.Second}
				s.publish("old")
				s.down.Store(true)
				d := s.document()
				ctx, stop := context.WithCancel(t.Context())
				go d.Keep(ctx, time.Hour, time.Now)
				for range 30 { // it is away for a while
					_, err := d.Find(ctx, time.Now(), has("old"))
					require.Error(t, err)
					pass(time.Second)
				}
				s.down.Store(false)
				require.Less(t, ask(ctx, d, "old", perSecond, stranger), 30*time.Second)
				s.publish("old", "new")
				require.Less(t, ask(ctx, d, "new", perSecond, stranger), 30*time.Second)
				before := s.served.Load()
				for range 600 {
					_, err := d.Find(ctx, time.Now(), has("made up"))
					require.ErrorIs(t, err, published.ErrUnknown)
					pass(time.Second / 10)
				}
				require.LessOrEqual(t, s.served.Load()-before, int64(5), "a stranger makes us ask now and then")
				stop()
				synctest.Wait()
			})
		}
	}
}

// TestFetchUnderWayIsNotTheLastWord: a word published after a fetch began, and before the call, is
// found by the call that waits for that fetch.
func TestFetchUnderWayIsNotTheLastWord(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		answers := make(chan []string)
		d := published.New(published.Config[[]string]{
			Load:  func(context.Context) ([]string, error) { return <-answers, nil },
			Fresh: 24 * time.Hour, Oldest: 24 * time.Hour,
		})
		ctx, stop := context.WithCancel(t.Context())
		go d.Keep(ctx, time.Hour, time.Now)
		synctest.Wait() // its fetch is under way
		found := make(chan error, 3)
		for range cap(found) {
			go func() {
				_, err := d.Find(ctx, time.Now(), has("new"))
				found <- err
			}()
		}
		synctest.Wait()
		answers <- []string{"old"}
		answers <- []string{"old", "new"}
		for range cap(found) {
			require.NoError(t, <-found)
		}
		stop()
		synctest.Wait()
	})
}

// TestKeptWhileAway: what was at hand counts for a day, and no longer.
func TestKeptWhileAway(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &server{}
		s.publish("old")
		d := s.document()
		ctx, stop := context.WithCancel(t.Context())
		go d.Keep(ctx, time.Hour, time.Now)
		synctest.Wait()
		s.down.Store(true)
		pass(23 * time.Hour)
		_, err := d.Find(ctx, time.Now(), has("old"))
		require.NoError(t, err)
		pass(2 * time.Hour)
		_, err = d.Find(ctx, time.Now(), has("old"))
		require.Error(t, err)
		s.down.Store(false)
		pass(15 * time.Second)
		_, err = d.Find(ctx, time.Now(), has("old"))
		require.NoError(t, err)
		stop()
		synctest.Wait()
	})
}

func TestReadKeys(t *testing.T) {
	t.Parallel()
	const good = `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"good","use":"sig","alg":"EdDSA"}`
	for name, odd := range map[string]string{
		"RSA without n":   `{"kty":"RSA","kid":"odd","e":"AQAB"}`,
		"a short RSA key": `{"kty":"RSA","kid":"odd","n":"AQ","e":"AQAB"}`,
		"a curve unknown": `{"kty":"EC","crv":"P-999","kid":"odd","x":"AA","y":"AA"}`,
		"a type unknown":  `{"kty":"AKP","kid":"odd","alg":"ML-DSA-44","pub":"AA"}`,
		"to encrypt with": `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"enc","use":"enc"}`,
		"a broken x5c":    `{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"odd","x5c":["AA"]}`,
		"a symmetric key": `{"kty":"oct","kid":"sym","k":"a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s"}`,
		"not even a key":  `7`,
		"null":            `null`,
	} {
		keys, err := published.ReadKeys([]byte(`{"keys":[` + odd + `,` + good + `]}`))
		require.NoError(t, err, name)
		require.Len(t, keys, 1, name)
		require.Equal(t, "good", keys[0].ID, name)
		_, err = published.ReadKeys([]byte(`{"keys":[` + odd + `]}`))
		require.ErrorIs(t, err, published.ErrNoKeys, name)
	}
	for _, document := range []string{"", "<html>", "[]", "{", "7"} {
		_, err := published.ReadKeys([]byte(document))
		require.ErrorIs(t, err, published.ErrNoSet, document)
	}
	for _, document := range []string{"{}", `{"keys":[]}`, `{"keys":null}`} {
		_, err := published.ReadKeys([]byte(document))
		require.ErrorIs(t, err, published.ErrNoKeys, document)
	}
}
