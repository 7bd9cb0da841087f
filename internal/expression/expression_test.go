package expression_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/expression"
)

func value(t *testing.T, text, body string) (any, error) {
	t.Helper()
	in, err := expression.Body([]byte(body))
	require.NoError(t, err)
	return expression.New().Value(t.Context(), text, in)
}

func TestValue(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ text, body, want string }{
		{`.data.id`, `{"data":{"id":12345678901234567890}}`, `12345678901234567890`},
		{`.data.id | tostring`, `{"data":{"id":7}}`, `"7"`},
		{`{b: .x, a: .y}`, `{"x":1.10,"y":"é"}`, `{"a":"é","b":1.10}`},
		{`["api", .id, "edit"]`, `{"id":7}`, `["api",7,"edit"]`},
		{`.missing`, `{}`, `null`},
		{`env`, `{}`, `{}`},
	} {
		got, err := value(t, c.text, c.body)
		require.NoError(t, err, c.text)
		text, err := expression.Marshal(got)
		require.NoError(t, err)
		require.Equal(t, c.want, string(text), c.text)
	}
}

func TestValueRefuses(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`.[]`:             expression.ErrCount.Error(),
		`empty`:           expression.ErrCount.Error(),
		`def f: f; f`:     expression.ErrTimeout.Error(),
		`[range(1e12)]`:   expression.ErrTimeout.Error(),
		`.a.b`:            "the expression fails on this body",
		`error("s3cr3t")`: "the expression fails on this body",
	} {
		_, err := value(t, text, `{"a":"s3cr3t","b":2}`)
		require.EqualError(t, err, want, text)
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	require.NoError(t, expression.Check(`.data | {id, name}`))
	require.NoError(t, expression.Check(`.a | split(",") | map(ascii_downcase | ltrimstr("x")) | join(";")`))
	for _, text := range []string{`.a |`, `nope(1)`, `import "a" as a; .`, `input`, `.a | gsub("a"; "b")`, `{a: (.b | [match("x")])}`, `if .a then test("a") else . end`, `"\(.a | scan("a"))"`, `split("a"; "g")`, `def f: sub("a"; "b"); f`, `$__prog_args`, strings.Repeat(".", 5000)} {
		require.Error(t, expression.Check(text), text)
	}
}

func TestHashIsOfTheValue(t *testing.T) {
	t.Parallel()
	hash := func(body string) string {
		v, err := expression.Body([]byte(body))
		require.NoError(t, err)
		h, err := expression.Hash(v)
		require.NoError(t, err)
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
