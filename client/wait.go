package client

import (
	"context"
	"time"
)

// How often a wait asks: soon, as most events end within milliseconds, then ever more rarely.
const (
	firstLook   = 20 * time.Millisecond
	longestLook = 2 * time.Second
)

// Until makes the call again and again until done says of an answer that it is the one, or ctx
// ends. It gives the last answer, with the error of ctx if that ended first; empty JSON: there was
// none. A gateway that cannot tell for a moment does not end the wait; any other error does.
func (c Call[T]) Until(ctx context.Context, done func(T) bool) (last Answer[T], err error) {
	for pause := firstLook; ; pause = min(2*pause, longestLook) {
		answer, err := c.answer(ctx)
		switch {
		case ctx.Err() != nil:
			return last, ctx.Err()
		case err == nil && done(answer.Value):
			return answer, nil
		case err == nil:
			last = answer
		case !IsUnavailable(err):
			return last, err
		}
		select {
		case <-time.After(pause):
		case <-ctx.Done():
			return last, ctx.Err()
		}
	}
}
