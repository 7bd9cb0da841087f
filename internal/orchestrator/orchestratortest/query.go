package orchestratortest

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// parse reads a query in the visibility store's language, as far as the orchestrator speaks it:
// comparisons of names with quoted values, AND, OR and brackets.
func parse(text string) (func(*Run) bool, error) {
	p := &parser{words: words(text)}
	if len(p.words) == 0 {
		return func(*Run) bool { return true }, nil
	}
	q := p.either()
	if p.err == nil && len(p.words) > 0 {
		p.fail(p.words[0])
	}
	return q, p.err
}

type parser struct {
	words []string
	err   error
}

func (p *parser) fail(at string) {
	if p.err == nil {
		p.err = fmt.Errorf("not understood at %q", at)
	}
	p.words = nil
}

func (p *parser) peek() string {
	if len(p.words) == 0 {
		return ""
	}
	return p.words[0]
}

func (p *parser) next() string {
	w := p.peek()
	if len(p.words) > 0 {
		p.words = p.words[1:]
	}
	return w
}

func (p *parser) either() func(*Run) bool {
	q := p.all()
	for p.peek() == "OR" {
		p.next()
		a, b := q, p.all()
		q = func(r *Run) bool { return a(r) || b(r) }
	}
	return q
}

func (p *parser) all() func(*Run) bool {
	q := p.one()
	for p.peek() == "AND" {
		p.next()
		a, b := q, p.one()
		q = func(r *Run) bool { return a(r) && b(r) }
	}
	return q
}

func (p *parser) one() func(*Run) bool {
	name := p.next()
	if name == "(" {
		q := p.either()
		if p.next() != ")" {
			p.fail(name)
		}
		return q
	}
	op := p.next()
	if op == "IN" {
		in := map[string]bool{}
		for w := p.next(); w != ")" && p.err == nil; w = p.next() {
			if v, ok := value(w); ok {
				in[v] = true
			} else if w != "(" && w != "," {
				p.fail(w)
			}
		}
		return func(r *Run) bool { return in[r.text(name)] }
	}
	w := p.next()
	v, ok := value(w)
	if !ok || !slices.Contains(operators, op) {
		p.fail(name + " " + op + " " + w)
	}
	return func(r *Run) bool { return r.compare(name, op, v) }
}

var operators = []string{"=", "!=", "<", "<=", ">", ">=", "STARTS_WITH"}

// text is a field that is not a time.
func (r *Run) text(name string) string {
	switch name {
	case "WorkflowType":
		return r.Type
	case "WorkflowId":
		return r.ID
	case "ExecutionStatus":
		return r.status().String()
	}
	return r.Attributes[name]
}

func (r *Run) compare(name, op, v string) bool {
	if name == "StartTime" || name == "CloseTime" {
		return r.compareTime(name, op, v)
	}
	is := r.text(name)
	switch op {
	case "=":
		return is == v
	case "!=":
		return is != v
	case "STARTS_WITH":
		return strings.HasPrefix(is, v)
	}
	return false
}

// compareTime says no of a time that is not there: what runs has no end.
func (r *Run) compareTime(name, op, v string) bool {
	is := r.Start
	if name == "CloseTime" {
		is = r.end()
	}
	than, err := time.Parse(time.RFC3339Nano, v)
	if err != nil || is.IsZero() {
		return false
	}
	switch by := is.Compare(than); op {
	case "<":
		return by < 0
	case "<=":
		return by <= 0
	case ">":
		return by > 0
	case ">=":
		return by >= 0
	}
	return false
}

// value is a quoted word without its quotes.
func value(w string) (string, bool) {
	if len(w) < 2 || w[0] != '\'' {
		return "", false
	}
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(w[1 : len(w)-1]), true
}

// words splits a query: quoted values stay whole.
func words(text string) (all []string) {
	for text = strings.TrimLeft(text, " "); text != ""; text = strings.TrimLeft(text, " ") {
		n := strings.IndexAny(text, " (),")
		switch {
		case text[0] == '\'':
			n = 1
			for n < len(text) && text[n] != '\'' {
				if text[n] == '\\' {
					n++
				}
				n++
			}
			n = min(n+1, len(text))
		case n == 0:
			n = 1
		case n < 0:
			n = len(text)
		}
		all, text = append(all, text[:n]), text[n:]
	}
	return all
}
