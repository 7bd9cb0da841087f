package expression

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"strings"

	lru "github.com/hashicorp/golang-lru/v2"
	"github.com/itchyny/gojq"
)

// compiled bounds the expressions a child keeps ready; each takes some ten KiB.
const compiled = 256

// evaluator runs expressions within a child, and keeps compiled those it has run lately.
type evaluator struct {
	cache *lru.Cache[string, *gojq.Code]
}

func newEvaluator() *evaluator {
	cache, err := lru.New[string, *gojq.Code](compiled)
	if err != nil {
		panic(err) // only a size below one is refused
	}
	return &evaluator{cache: cache}
}

// check says what is wrong with an expression's text.
func (e *evaluator) check(text string) (verdict, []byte) {
	if _, err := e.compile(text); err != nil {
		return verdictText, []byte(err.Error())
	}
	return verdictValue, nil
}

// compile gives an expression neither files nor the environment nor other input: gojq has none of
// them unless told.
func (e *evaluator) compile(text string) (*gojq.Code, error) {
	if code, ok := e.cache.Get(text); ok {
		return code, nil
	}
	query, err := gojq.Parse(text)
	if err != nil {
		return nil, err
	}
	code, err := gojq.Compile(query)
	if err == nil {
		e.cache.Add(text, code)
	}
	return code, err
}

// readBody reads JSON. Numbers keep their digits.
func readBody(raw []byte) (any, verdict) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	dec.UseNumber()
	var v any
	if dec.Decode(&v) != nil {
		return nil, verdictJSON
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, verdictJSON
	}
	return v, verdictValue
}

// value writes the one value an expression gives of a body.
func (e *evaluator) value(ctx context.Context, a Ask, body any) (said verdict, text []byte) {
	defer func() {
		if recover() != nil { // a fault of gojq's
			said, text = verdictFails, nil
		}
	}()
	code, err := e.compile(a.Text)
	if err != nil {
		return verdictText, []byte(err.Error())
	}
	values := code.RunWithContext(ctx, body)
	v, ok := values.Next()
	if !ok {
		return verdictCount, nil
	}
	if err, failed := v.(error); failed {
		return failure(ctx, err), nil
	}
	if _, more := values.Next(); more {
		return verdictCount, nil
	}
	return written(v, a)
}

// failure keeps gojq's words to itself: they may quote the body.
func failure(ctx context.Context, err error) verdict {
	if ctx.Err() != nil {
		return verdictTime
	}
	if halt, ok := errors.AsType[*gojq.HaltError](err); ok && halt.Value() == nil {
		return verdictCount
	}
	return verdictFails
}

// written writes a value in the form it was asked for, if it is small enough: a value that names
// itself twice, forty times over, is quickly made and never written.
func written(v any, a Ask) (verdict, []byte) {
	most := a.Max
	if most <= 0 || most > MaxValue {
		most = MaxValue
	}
	if left := most; !fits(v, &left) {
		return verdictLarge, nil
	}
	if a.Form == Hash {
		v = canonical(v)
	}
	text, err := gojq.Marshal(v)
	switch {
	case err != nil:
		return verdictFails, nil
	case a.Form == Hash:
		sum := sha256.Sum256(text)
		return verdictValue, []byte(hex.EncodeToString(sum[:]))
	case len(text) > most:
		return verdictLarge, nil
	}
	return verdictValue, text
}

// fits counts down what a value needs at least when it is written, in bytes, and stops at zero.
func fits(v any, left *int) bool {
	*left--
	switch v := v.(type) {
	case string:
		*left -= len(v)
	case json.Number:
		*left -= len(v) - 1
	case []any:
		for _, element := range v {
			if *left < 0 || !fits(element, left) {
				return false
			}
		}
	case map[string]any:
		for name, member := range v {
			if *left -= len(name); *left < 0 || !fits(member, left) {
				return false
			}
		}
	}
	return *left >= 0
}

// notJQ tells the owner of a text what is wrong with it.
func notJQ(why []byte) error {
	return errors.New("is not a jq expression: " + strings.ToValidUTF8(string(why), ""))
}
