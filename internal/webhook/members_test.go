package webhook_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/webhook"
)

func TestMembersAreUntouched(t *testing.T) {
	t.Parallel()
	all, err := webhook.Members([]byte(` { "a" : 1.10 , "b\"}":{"x": [1,"]}\\\""] } ,"c":[ ],"d":null,"":"",
		"a": true,"e":-0.1e+5` + "\t,\"f\":1\r\n,\"g\":2\n}"))
	require.NoError(t, err)
	var got []string
	for _, m := range all {
		got = append(got, m.Name+"="+string(m.Value))
	}
	require.Equal(t, []string{"a=1.10", `b"}={"x": [1,"]}\\\""] }`, "c=[ ]", "d=null", `=""`, "a=true", "e=-0.1e+5", "f=1", "g=2"}, got)
	all, err = webhook.Members([]byte(" {} "))
	require.NoError(t, err)
	require.Empty(t, all)
}

func TestElementsAreUntouched(t *testing.T) {
	t.Parallel()
	all, ok := webhook.Elements([]byte(` [ 1 ,{"a": [2]}, "x,]",[],null]`))
	require.True(t, ok)
	require.Equal(t, []json.RawMessage{[]byte("1"), []byte(`{"a": [2]}`), []byte(`"x,]"`), []byte("[]"), []byte("null")}, all)
	all, ok = webhook.Elements([]byte("[]"))
	require.True(t, ok)
	require.Empty(t, all)
	for _, not := range []string{"", "null", "{}", "[1", "[1] 2", `"[]"`} {
		_, ok := webhook.Elements([]byte(not))
		require.False(t, ok, not)
	}
}

// FuzzMembers: what is cut out is what encoding/json reads.
func FuzzMembers(f *testing.F) {
	for _, seed := range []string{`{"a":[1,{"b":"\\\""}]}`, `{"a":1}x`, `[{"a":"}"},2]`, `{"\u0061":tru}`, " {\t} "} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		members, err := webhook.Members(body)
		var want map[string]json.RawMessage
		isObject := json.Unmarshal(body, &want) == nil && want != nil
		require.Equal(t, isObject, err == nil)
		got := map[string]json.RawMessage{}
		for _, m := range members {
			require.True(t, json.Valid(m.Value))
			got[m.Name] = m.Value
		}
		if isObject {
			require.Equal(t, want, got)
		}
		elements, ok := webhook.Elements(body)
		var list []json.RawMessage
		isList := json.Unmarshal(body, &list) == nil && bytes.HasPrefix(bytes.TrimSpace(body), []byte("["))
		require.Equal(t, isList, ok)
		require.Len(t, elements, len(list))
		for i := range elements {
			require.Equal(t, list[i], elements[i])
		}
	})
}
