package echo_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"hookloop/internal/echo"
)

// TestWhatAWriteDoesToItsObject decides how long its report is an echo.
func TestWhatAWriteDoesToItsObject(t *testing.T) {
	t.Parallel()
	has := echo.Object{Hash: "a", EchoOf: "evt_1"}
	for name, tc := range map[string]struct {
		w    echo.Write
		want echo.WriteKind
	}{
		"another value":              {echo.Write{Value: echo.Value{Hash: "b"}, EventID: "evt_2"}, echo.Changing},
		"another, which may be none": {echo.Write{Value: echo.Value{Hash: "b"}, EventID: "evt_2", Unsure: true}, echo.Changing},
		"the value that it has":      {echo.Write{Value: echo.Value{Hash: "a"}, EventID: "evt_2"}, echo.Idle},
		"and it may be no change":    {echo.Write{Value: echo.Value{Hash: "a"}, EventID: "evt_2", Unsure: true}, echo.Unsure},
		"the same delivery again":    {echo.Write{Value: echo.Value{Hash: "a"}, EventID: "evt_1"}, echo.Unsure},
	} {
		require.Equal(t, tc.want, has.KindOf(tc.w), name)
		ttl := echo.ReportLag
		if tc.want == echo.Changing {
			ttl = echo.TTL
		}
		require.Equal(t, ttl, has.TTL(tc.w), name)
	}
}

// TestAnEchoOfAnEarlierChangeIsBehind: the application has lost the later one, unless that is still
// on its way.
func TestAnEchoOfAnEarlierChangeIsBehind(t *testing.T) {
	t.Parallel()
	var o echo.Object
	require.Equal(t, echo.Ruling{Order: 3}, o.RecordChange(echo.Report{Value: echo.Value{Hash: "a"}, EventID: "evt_3"}, 3))
	r, behind := o.Ruling()
	require.Equal(t, echo.Ruling{Order: 3}, r)
	require.False(t, behind, "a change is no echo")

	o.RecordWrite(echo.Write{EventID: "evt_5", Order: 5})
	o.RecordWrite(echo.Write{EventID: "evt_4", Order: 4})
	require.Equal(t, int64(5), o.Latest, "the latest change counts, in whatever order they are brought")
	require.Equal(t, "evt_5", o.LatestEvent)
	_, behind = o.Ruling()
	require.False(t, behind, "the application's own change is not taken back by one that is on its way")

	o.RecordEcho(echo.Report{Value: echo.Value{Hash: "b"}, EventID: "evt_6"}, "evt_4", 4)
	r, behind = o.Ruling()
	require.Equal(t, echo.Ruling{EchoOf: "evt_4", Order: 4}, r)
	require.True(t, behind)
	o.RecordEcho(echo.Report{Value: echo.Value{Hash: "c"}, EventID: "evt_7"}, "evt_5", 5)
	r, behind = o.Ruling()
	require.Equal(t, echo.Ruling{EchoOf: "evt_5", Order: 5}, r)
	require.False(t, behind)
	require.Equal(t, "c", o.Hash)
	require.Equal(t, "evt_7", o.EventID)
}
