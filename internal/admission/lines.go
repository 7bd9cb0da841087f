package admission

import (
	"slices"

	"github.com/failsafe-go/failsafe-go/adaptivelimiter"
)

// waiter is one acceptance that waits for a place. Each channel has room for the one thing it is
// told.
type waiter struct {
	tenant  string
	patient bool // it is never refused for another's sake
	called  chan adaptivelimiter.Permit
	refused chan error
}

// lines are one for each tenant that waits. Its gate guards it.
type lines struct {
	waiting int
	of      map[string][]*waiter
	turns   []string // the tenants in of, the one whose turn it is first
}

func newLines() lines { return lines{of: map[string][]*waiter{}} }

func (l *lines) join(tenant string, patient bool) *waiter {
	w := &waiter{tenant: tenant, patient: patient, called: make(chan adaptivelimiter.Permit, 1), refused: make(chan error, 1)}
	if len(l.of[tenant]) == 0 {
		l.turns = append(l.turns, tenant)
	}
	l.of[tenant] = append(l.of[tenant], w)
	l.waiting++
	return w
}

// next takes the first of the tenant whose turn it is. There must be one.
func (l *lines) next() *waiter {
	tenant := l.turns[0]
	w := l.of[tenant][0]
	l.leave(w)
	if len(l.of[tenant]) > 0 { // leave has kept its turn
		l.turns = append(l.turns[1:], tenant)
	}
	return w
}

// leave takes one out of its line, if it still stands there.
func (l *lines) leave(w *waiter) {
	line := l.of[w.tenant]
	i := slices.Index(line, w)
	if i < 0 {
		return
	}
	l.waiting--
	if line = slices.Delete(line, i, i+1); len(line) > 0 {
		l.of[w.tenant] = line
		return
	}
	delete(l.of, w.tenant)
	l.turns = slices.DeleteFunc(l.turns, func(tenant string) bool { return tenant == w.tenant })
}

// unfair is the last of the longest line, if that is longer than a tenant's own would become; nil:
// the tenant has its share.
func (l *lines) unfair(tenant string) *waiter {
	var longest []*waiter
	for _, line := range l.of {
		if len(line) > len(longest) {
			longest = line
		}
	}
	if len(longest) <= len(l.of[tenant])+1 {
		return nil
	}
	for _, w := range slices.Backward(longest) {
		if !w.patient {
			return w
		}
	}
	return nil
}
