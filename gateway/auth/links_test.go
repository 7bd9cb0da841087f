package auth_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/api"
	"hookloop/gateway/auth"
	"hookloop/internal/webhook"
)

const aLink = "lnk_01jzc8m3v7q2w5x9y1b4d6f8hk"

var errAway = errors.New("connection refused")

// shelf keeps one link, and is the clock and the verifier of other tokens.
type shelf struct {
	link  webhook.PortalLink
	err   error
	reads int
	now   time.Time
	other []string // tokens that were left to it
}

func (s *shelf) PortalLink(_ context.Context, id string) (webhook.PortalLink, error) {
	s.reads++
	if id != s.link.ID {
		return webhook.PortalLink{}, webhook.Errorf(webhook.NotFound, "no such link")
	}
	return s.link, s.err
}

func (s *shelf) Verify(_ context.Context, token string) (auth.Principal, error) {
	s.other = append(s.other, token)
	return auth.Principal{Subject: "tester"}, nil
}

func newLinks(t *testing.T, key string) (*auth.Links, *shelf) {
	t.Helper()
	s := &shelf{now: time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)}
	s.link = webhook.PortalLink{
		ID: aLink, Tenant: "acme", EndpointID: "ep_1", Scopes: []string{"endpoints:read"}, ExpiresAt: s.now.Add(time.Hour),
	}
	l, err := auth.NewLinks(s, []byte(key), func() time.Time { return s.now }, s)
	require.NoError(t, err)
	return l, s
}

// TestALinkSpeaksForItsOwner, and for no endpoint beyond.
func TestALinkSpeaksForItsOwner(t *testing.T) {
	t.Parallel()
	l, s := newLinks(t, "key")
	who, err := l.Verify(t.Context(), l.Token(aLink))
	require.NoError(t, err)
	require.Equal(t, auth.Principal{
		Subject: "portal:ep_1 (" + aLink + ")", Tenants: []string{"acme"}, Scopes: []string{"endpoints:read"},
		Confined: auth.Confined{Endpoints: []string{"ep_1"}},
	}, who)
	require.Empty(t, s.other)

	s.link.EndpointID, s.link.Owner = "", "shop-1"
	l.Forget(aLink)
	who, err = l.Verify(t.Context(), l.Token(aLink))
	require.NoError(t, err)
	require.Equal(t, "portal:shop-1 ("+aLink+")", who.Subject)
	require.Equal(t, auth.Confined{Owner: "shop-1"}, who.Confined)
}

// TestOnlyAProvenLinkReachesTheRegistry: guesses of strangers do not.
func TestOnlyAProvenLinkReachesTheRegistry(t *testing.T) {
	t.Parallel()
	l, s := newLinks(t, "key")
	theirs, _ := newLinks(t, "another key")
	token := l.Token(aLink)
	for name, guess := range map[string]string{
		"another key":   theirs.Token(aLink),
		"no proof":      token[:strings.LastIndexByte(token, '_')],
		"an empty one":  token[:strings.LastIndexByte(token, '_')+1],
		"cut":           token[:len(token)-1],
		"longer":        token + "A",
		"another id":    strings.Replace(token, "8hk", "8hm", 1),
		"an odd id":     l.Token("lnk_1"),
		"only a prefix": "hkp_",
	} {
		_, err := l.Verify(t.Context(), guess)
		require.EqualError(t, err, "this link is not one of ours", name)
		require.Equal(t, api.Unauthenticated, webhook.CodeOf(err))
	}
	require.Zero(t, s.reads)

	who, err := l.Verify(t.Context(), "eyJ.not.ours")
	require.NoError(t, err)
	require.Equal(t, "tester", who.Subject)
	require.Equal(t, []string{"eyJ.not.ours"}, s.other, "what is no link is left to others")
}

func TestALinkEnds(t *testing.T) {
	t.Parallel()
	for says, change := range map[string]func(*shelf){
		"this link has ended":          func(s *shelf) { s.link.ID = "lnk_other" },
		"this link was revoked":        func(s *shelf) { s.link.RevokedAt = s.now },
		"this link has expired":        func(s *shelf) { s.now = s.link.ExpiresAt },
		"this link is for no endpoint": func(s *shelf) { s.link.EndpointID = "" }, // a row that was damaged
	} {
		l, s := newLinks(t, "key")
		change(s)
		who, err := l.Verify(t.Context(), l.Token(aLink))
		require.EqualError(t, err, says)
		require.Equal(t, api.Unauthenticated, webhook.CodeOf(err))
		require.Equal(t, auth.Principal{}, who)
	}
	l, s := newLinks(t, "key")
	s.err = errAway
	_, err := l.Verify(t.Context(), l.Token(aLink))
	away, ok := errors.AsType[*auth.AwayError](err)
	require.True(t, ok, "it is not the link's fault")
	require.Equal(t, "the registry", away.Away())
	require.ErrorIs(t, err, errAway)
	require.EqualError(t, err, "the registry: connection refused")
}

// TestARevocationCountsWithinFiveSeconds, and at once where it was made.
func TestARevocationCountsWithinFiveSeconds(t *testing.T) {
	t.Parallel()
	l, s := newLinks(t, "key")
	use := func() error {
		_, err := l.Verify(t.Context(), l.Token(aLink))
		return err
	}
	require.NoError(t, use())
	s.link.RevokedAt = s.now
	s.now = s.now.Add(5*time.Second - 1)
	require.NoError(t, use())
	require.Equal(t, 1, s.reads)
	s.now = s.now.Add(1)
	require.EqualError(t, use(), "this link was revoked")
	require.Equal(t, 2, s.reads)

	l, s = newLinks(t, "key")
	require.NoError(t, use())
	s.link.RevokedAt = s.now
	l.Forget(aLink)
	require.EqualError(t, use(), "this link was revoked")
	s.now = s.now.Add(-time.Hour)
	s.link.RevokedAt = time.Time{}
	require.NoError(t, use(), "a clock that was set back keeps nothing for long")
}

// TestAConfinedTokenOpensNoOtherDoor.
func TestAConfinedTokenOpensNoOtherDoor(t *testing.T) {
	t.Parallel()
	l, s := newLinks(t, "key")
	open := auth.Unconfined(l)
	who, err := open(t.Context(), l.Token(aLink))
	require.ErrorContains(t, err, "for some endpoints alone")
	require.Equal(t, auth.Principal{}, who)
	who, err = open(t.Context(), "eyJ.not.ours")
	require.NoError(t, err)
	require.Equal(t, "tester", who.Subject)
	s.err = errAway
	l.Forget(aLink)
	_, err = open(t.Context(), l.Token(aLink))
	require.ErrorIs(t, err, errAway)
}
