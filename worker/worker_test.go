package worker_test

import (
	"testing"

	"github.com/stretchr/testify/require"
	"go.temporal.io/sdk/client"
	sdk "go.temporal.io/sdk/worker"

	"hookloop/activities"
	"hookloop/worker"
)

func config(t *testing.T) worker.Config {
	t.Helper()
	c, err := client.NewLazyClient(client.Options{HostPort: "127.0.0.1:1"}) // nothing listens there
	require.NoError(t, err)
	t.Cleanup(c.Close)
	return worker.Config{
		Client: c, Deliveries: &activities.Delivery{}, Recoveries: &activities.Recovery{}, Approvals: &activities.Approval{},
	}
}

// TestEverythingIsRegistered: the SDK panics at a workflow or activity that it cannot register.
func TestEverythingIsRegistered(t *testing.T) {
	t.Parallel()
	_, err := worker.New(config(t))
	require.NoError(t, err)
}

func TestNothingIsOptional(t *testing.T) {
	t.Parallel()
	for name, drop := range map[string]func(*worker.Config){
		"client":     func(c *worker.Config) { c.Client = nil },
		"deliveries": func(c *worker.Config) { c.Deliveries = nil },
		"recoveries": func(c *worker.Config) { c.Recoveries = nil },
		"approvals":  func(c *worker.Config) { c.Approvals = nil },
	} {
		cfg := config(t)
		drop(&cfg)
		_, err := worker.New(cfg)
		require.EqualError(t, err, "worker: Client, Deliveries, Recoveries and Approvals are required", name)
	}
}

// TestRunNeedsTemporal: a worker that cannot poll says so, and does not wait for the end of its
// context.
func TestRunNeedsTemporal(t *testing.T) {
	t.Parallel()
	w, err := worker.New(config(t))
	require.NoError(t, err)
	require.Error(t, w.Start())
}

// TestAWorkerWithoutAVersionWorksOffWhateverComes: with one, it works off what is for its version.
func TestAWorkerWithoutAVersionWorksOffWhateverComes(t *testing.T) {
	t.Parallel()
	require.Equal(t, sdk.DeploymentOptions{}, worker.Deployment{}.Options())
	require.Equal(t, sdk.DeploymentOptions{
		UseVersioning: true, Version: sdk.WorkerDeploymentVersion{DeploymentName: "hookloop", BuildID: "0.2.0"},
	}, worker.Deployment{Name: "hookloop", BuildID: "0.2.0"}.Options())
}
