package endpointtest

import (
	"fmt"
	"net/http"
	"strconv"
	"strings"
)

// What a script can say besides a status.
const (
	hang      = -1 // no answer until the client gives up
	hangUp    = -2 // the connection breaks
	maxRepeat = 1_000_000
)

// Script is the answers of an endpoint, request by request. The zero Script answers 200 forever.
type Script struct {
	steps []step
}

type step struct{ answer, times int }

// ParseScript reads answers separated by spaces or commas: a status from 200 to 599, "hang" (never
// answer) or "drop" (break the connection). "503:3" says one three times. After the end a plain
// last answer repeats; one with a count is over, and 200 follows.
//
//	503        always 503
//	503:3      503 three times, then 200
//	500 503 200
func ParseScript(text string) (Script, error) {
	var s Script
	words := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == ',' })
	for i, word := range words {
		next, err := parseStep(word, i == len(words)-1)
		if err != nil {
			return Script{}, err
		}
		s.steps = append(s.steps, next)
	}
	return s, nil
}

func parseStep(word string, last bool) (step, error) {
	what, count, counted := strings.Cut(word, ":")
	next := step{times: 1}
	switch status, err := strconv.Atoi(what); {
	case what == "hang":
		next.answer = hang
	case what == "drop":
		next.answer = hangUp
	case err == nil && len(what) == 3 && status >= 200 && status <= 599:
		next.answer = status
	default:
		return step{}, fmt.Errorf(`%q is not a status from 200 to 599, "hang" or "drop"`, what)
	}
	if !counted {
		if last {
			next.times = 0 // forever
		}
		return next, nil
	}
	times, err := strconv.Atoi(count)
	if err != nil || times < 1 || times > maxRepeat {
		return step{}, fmt.Errorf("%q is not a number of times from 1 to %d", count, maxRepeat)
	}
	next.times = times
	return next, nil
}

// answer gives the answer to the n-th request, n from 0.
func (s Script) answer(n int) int {
	for _, st := range s.steps {
		if st.times == 0 || n < st.times {
			return st.answer
		}
		n -= st.times
	}
	return http.StatusOK
}
