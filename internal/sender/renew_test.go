package sender_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"hookloop/internal/sender"
)

// TestTransportIsMadeAnew once a minute, also under steady traffic: by then an endpoint's name may
// lead elsewhere.
func TestTransportIsMadeAnew(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		made := 0
		present := sender.Renewing(func() *http.Transport {
			made++
			return &http.Transport{}
		})
		first := present()
		for range 59 {
			time.Sleep(time.Second)
			require.Same(t, first, present())
		}
		for range 121 {
			time.Sleep(time.Second)
			require.NotSame(t, first, present())
		}
		require.Equal(t, 4, made)
	})
}
