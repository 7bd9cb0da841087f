// Package expression runs the jq expressions that endpoints and sources are configured with: which
// object a body is about, which value it has, what a foreign API wants to read. It bounds what an
// expression may cost. gojq gives an expression neither files nor the environment nor the network.
package expression

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/itchyny/gojq"
)

const (
	// MaxSource bounds an expression's text, in bytes.
	MaxSource = 4 << 10
	// timeout bounds one evaluation: every value in a body of 1 MiB is visited in 60 ms, in one of 256 KiB in 15.
	timeout = 250 * time.Millisecond
	// compiled bounds the expressions kept ready; each takes some ten KiB.
	compiled = 1024
)

// What an expression does wrong with a body.
var (
	ErrTimeout = errors.New("the expression ran for too long")
	ErrCount   = errors.New("the expression must give exactly one value")
)

// Expressions runs expressions, and keeps compiled those it has run lately.
type Expressions struct {
	cache *lru.Cache[string, *gojq.Code]
}

// New makes Expressions.
func New() *Expressions {
	cache, err := lru.New[string, *gojq.Code](compiled)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return &Expressions{cache: cache}
}

// Check says what is wrong with an expression's text.
func Check(text string) error {
	if len(text) > MaxSource {
		return fmt.Errorf("has %d bytes, at most %d are allowed", len(text), MaxSource)
	}
	_, err := compile(text)
	return err
}

func compile(text string) (*gojq.Code, error) {
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, fmt.Errorf("is not a jq expression: %w", err)
	}
	if name := called(reflect.ValueOf(query), unbounded); name != "" {
		return nil, fmt.Errorf("calls %s, whose time grows with the square of the text and cannot be cut short", name)
	}
	code, err := gojq.Compile(query)
	if err != nil {
		return nil, fmt.Errorf("is not a jq expression: %w", err)
	}
	return code, nil
}

// unbounded are the functions that search with regular expressions. A single call is one step to gojq, which
// looks at the clock only between steps, and a third party chooses the text.
var unbounded = []string{"match", "test", "capture", "scan", "sub", "gsub", "splits", "_match"}

// called finds a call of one of the functions anywhere in an expression.
func called(v reflect.Value, names []string) string {
	switch v.Kind() {
	case reflect.Pointer:
		if f, ok := reflect.TypeAssert[*gojq.Func](v); ok && f != nil &&
			(slices.Contains(names, f.Name) || f.Name == "split" && len(f.Args) == 2) {
			return f.Name
		}
		if v.IsNil() {
			return ""
		}
		return called(v.Elem(), names)
	case reflect.Struct:
		for _, field := range v.Fields() {
			if name := called(field, names); name != "" {
				return name
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			if name := called(v.Index(i), names); name != "" {
				return name
			}
		}
	default:
	}
	return ""
}

// Body reads JSON for Value. Numbers keep their digits.
func Body(raw []byte) (any, error) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("the body goes on after the JSON value")
	}
	return v, nil
}

// Value is the one value an expression gives of a body.
func (x *Expressions) Value(ctx context.Context, text string, body any) (any, error) {
	code, ok := x.cache.Get(text)
	if !ok {
		var err error
		if code, err = compile(text); err != nil {
			return nil, fmt.Errorf("the expression %w", err)
		}
		x.cache.Add(text, code)
	}
	within, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	values := code.RunWithContext(within, body)
	v, ok := values.Next()
	if !ok {
		return nil, ErrCount
	}
	if err, failed := v.(error); failed {
		return nil, failure(ctx, within, err)
	}
	if _, more := values.Next(); more {
		return nil, ErrCount
	}
	return v, nil
}

// failure keeps gojq's words to itself: they may quote the body.
func failure(ctx, within context.Context, err error) error {
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case within.Err() != nil:
		return ErrTimeout
	}
	if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
		return ErrCount
	}
	return errors.New("the expression fails on this body")
}

// Marshal writes a value as JSON, the members of objects in order of their names.
func Marshal(v any) ([]byte, error) { return gojq.Marshal(v) }
