package expression_test

import (
	"context"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/expression"
)

var pool *expression.Pool

func TestMain(m *testing.M) {
	var err error
	if pool, err = expression.New(expression.Config{}); err != nil {
		panic(err)
	}
	code := m.Run()
	pool.Close()
	os.Exit(code)
}

func value(ctx context.Context, text, body string, form expression.Form) (string, error) {
	all, err := pool.Values(ctx, "acme", []byte(body), expression.Ask{Text: text, Form: form})
	if err != nil {
		return "", err
	}
	return string(all[0]), nil
}

func TestValues(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, body, want string }{
		{`.data.id`, `{"data":{"id":12345678901234567890}}`, `12345678901234567890`},
		{`.data.id | tostring`, `{"data":{"id":7}}`, `"7"`},
		{`{b: .x, a: .y}`, `{"x":1.10,"y":"é"}`, `{"a":"é","b":1.10}`},
		{`["api", .id, "edit"]`, `{"id":7}`, `["api",7,"edit"]`},
		{`.missing`, `{}`, `null`},
		{`env`, `{}`, `{}`},
		{`[$ENV, env] | tojson`, `1`, `"[{},{}]"`},
		{`.a | split(",") | map(ascii_downcase | ltrimstr("x") | sub("b+"; "c")) | join(";")`, `{"a":"xA,bbb"}`, `"a;c"`},
	} {
		got, err := value(t.Context(), c.text, c.body, expression.JSON)
		require.NoError(t, err, c.text)
		require.Equal(t, c.want, got, c.text)
	}
}

// TestValuesInTurn: what was found before the first that fails is given.
func TestValuesInTurn(t *testing.T) {
	t.Parallel()
	all, err := pool.Values(t.Context(), "acme", []byte(`{"a":1}`), expression.Ask{Text: ".a"}, expression.Ask{Text: ".a.b"}, expression.Ask{Text: "."})
	require.Equal(t, [][]byte{[]byte("1")}, all)
	var f *expression.Fault
	require.ErrorAs(t, err, &f)
	require.Equal(t, 1, f.Ask)
}

func TestValuesRefuse(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		`.[]`:             expression.ErrCount,
		`empty`:           expression.ErrCount,
		`halt`:            expression.ErrCount,
		`def f: f; f`:     expression.ErrTime,
		`.a.b`:            expression.ErrFails,
		`error("s3cr3t")`: expression.ErrFails,
		`"x" * 3000000`:   expression.ErrLarge,
	} {
		_, err := value(t.Context(), text, `{"a":"s3cr3t","b":2}`, expression.JSON)
		require.EqualError(t, err, want.Error(), text)
	}
	_, err := value(t.Context(), ".", `{} {}`, expression.JSON)
	require.ErrorIs(t, err, expression.ErrJSON)
	_, err = pool.Values(t.Context(), "acme", []byte(`"12345"`), expression.Ask{Text: ".", Max: 6})
	require.ErrorIs(t, err, expression.ErrLarge)
	_, err = value(t.Context(), ".", `"`+strings.Repeat("x", expression.MaxBody)+`"`, expression.JSON)
	require.ErrorIs(t, err, expression.ErrLarge)
}

func TestCheck(t *testing.T) {
	t.Parallel()
	for _, text := range []string{`.data | {id, name}`, `.a | split(",") | map(ascii_downcase | ltrimstr("x")) | join(";")`, `.a | gsub("a"; "b")`} {
		require.NoError(t, pool.Check(t.Context(), "acme", text))
	}
	for _, text := range []string{`.a |`, `nope(1)`, `import "a" as a; .`, `$__prog_args`, `input`, strings.Repeat(".", 5000)} {
		var f *expression.Fault
		require.ErrorAs(t, pool.Check(t.Context(), "acme", text), &f, text)
	}
}

func TestHashIsOfTheValue(t *testing.T) {
	t.Parallel()
	hash := func(body string) string {
		h, err := value(t.Context(), ".", body, expression.Hash)
		require.NoError(t, err)
		require.Len(t, h, 64)
		return h
	}
	for _, same := range [][]string{
		{`{"a":1,"b":[1.10,"\u00e9"]}`, `{ "b" : [1.1, "é"], "a" : 1.0 }`},
		{`100`, `1e2`, `100.0`},
		{`0`, `-0`, `0.0`, `-0.0`},
		{`12345678901234567890`, ` 12345678901234567890 `},
	} {
		for _, other := range same[1:] {
			require.Equal(t, hash(same[0]), hash(other), other)
		}
	}
	for _, pair := range [][2]string{
		{`12345678901234567890`, `12345678901234567891`}, {`"1"`, `1`}, {`null`, `""`}, {`[]`, `{}`}, {`[1,2]`, `[2,1]`}, {`1e400`, `1e401`},
	} {
		require.NotEqual(t, hash(pair[0]), hash(pair[1]), pair[0])
	}
}
