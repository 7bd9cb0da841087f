// Package compose_test reads docker-compose.yml as Docker Compose does, and holds it against what
// Hookloop reads. Nothing is started: no Docker is needed.
package compose_test

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/compose-spec/compose-go/v2/cli"
	"github.com/compose-spec/compose-go/v2/types"
	"github.com/stretchr/testify/require"
	"gopkg.in/yaml.v3"

	"hookloop/internal/config"
)

const file = "../../docker-compose.yml"

// secrets are what .env must hold; here each is something that is found again.
var secrets = map[string]string{
	"POSTGRES_PASSWORD": "postgressecret", "TEMPORAL_DB_PASSWORD": "temporalsecret", "HOOKLOOP_DB_PASSWORD": "hookloopsecret",
	"HOOKLOOP_JWT_SECRET": "a secret of this test, 32 bytes or more",
}

// load reads the file as Docker Compose does, with these variables and no others.
func load(t *testing.T, env map[string]string) (*types.Project, error) {
	t.Helper()
	var all []string
	for name, value := range env {
		all = append(all, name+"="+value)
	}
	o, err := cli.NewProjectOptions([]string{file}, cli.WithEnv(all), cli.WithProfiles([]string{"*"}), cli.WithResolvedPaths(true))
	require.NoError(t, err)
	return o.LoadProject(context.Background())
}

func mustLoad(t *testing.T) *types.Project {
	t.Helper()
	p, err := load(t, secrets)
	require.NoError(t, err)
	return p
}

// TestRefusesWithoutSecrets: what is missing is named, before anything starts.
func TestRefusesWithoutSecrets(t *testing.T) {
	t.Parallel()
	for name := range secrets {
		env := map[string]string{}
		for other, value := range secrets {
			if other != name {
				env[other] = value
			}
		}
		_, err := load(t, env)
		require.ErrorContains(t, err, name)
		require.ErrorContains(t, err, "set it in .env")
	}
}

// TestSecretsComeFromOutside: what looks like one leads to .env or to a file, in the text itself.
func TestSecretsComeFromOutside(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	named := regexp.MustCompile(`(?m)^\s+[A-Z_]*(PASSWORD|PWD|SECRET|TOKEN|KEY)\s*:\s*(.*)$`)
	found := named.FindAllStringSubmatch(string(text), -1)
	require.NotEmpty(t, found)
	for _, one := range found {
		require.Regexp(t, `^\$\{[A-Z_]+:\?set it in \.env\}( #.*)?$`, one[2], one[0])
	}
	for _, one := range regexp.MustCompile(`://[^/\s]*:([^/\s]*)@`).FindAllStringSubmatch(string(text), -1) {
		require.Regexp(t, `^\$\{`, one[1])
	}
	p := mustLoad(t)
	for name, s := range p.Secrets {
		require.Equal(t, "secrets", filepath.Base(filepath.Dir(s.File)), name)
	}
}

// TestExample: .env.example names everything the file asks for, and gives no secret a value.
func TestExample(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	example, err := os.ReadFile("../../.env.example")
	require.NoError(t, err)
	offered := map[string]string{}
	for _, one := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(example), -1) {
		offered[one[1]] = one[2]
	}
	asked := map[string]bool{}
	for _, one := range regexp.MustCompile(`(?:^|[^$])\$\{([A-Z_]+)`).FindAllStringSubmatch(string(text), -1) {
		asked[one[1]] = true
		require.Contains(t, offered, one[1])
	}
	for name, value := range offered {
		require.True(t, asked[name], "no rule asks for %s", name)
		if _, secret := secrets[name]; secret {
			require.Empty(t, value, name)
		}
	}
}

// TestReadme: README has the commands of the header, as `make docker` runs them.
func TestReadme(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	header, _, _ := strings.Cut(string(text), "\nname: ")
	blocks := regexp.MustCompile(`(?m)(?:^#   .*\n)+`).FindAllString(header, -1)
	require.Len(t, blocks, 2)
	for _, block := range blocks {
		require.Contains(t, string(readme), regexp.MustCompile(`(?m)^#   `).ReplaceAllString(block, ""))
	}
}

// hookloops are the services that run our image.
func hookloops(p *types.Project) (all []types.ServiceConfig) {
	for _, s := range p.Services {
		if strings.HasPrefix(s.Image, "hookloop:") {
			all = append(all, s)
		}
	}
	return all
}

// parts are those of them that every start has and that deliver; the others are for people to run,
// or stand in front of the Temporal UI.
func parts(p *types.Project) []types.ServiceConfig {
	return slices.DeleteFunc(hookloops(p), func(s types.ServiceConfig) bool { return len(s.Profiles) > 0 || s.Name == "ui" })
}

func value(s types.ServiceConfig, name string) string {
	if v := s.Environment[name]; v != nil {
		return *v
	}
	return ""
}

// TestSettings: what Hookloop is told it knows, and each role's configuration is one it starts
// with.
func TestSettings(t *testing.T) {
	t.Parallel()
	roles := map[config.Role]bool{} //nolint:exhaustive // it is filled below
	p := mustLoad(t)
	for _, s := range hookloops(p) {
		for name := range s.Environment {
			if strings.HasPrefix(name, "HOOKLOOP_") {
				require.Contains(t, append(config.Names(), "HOOKLOOP_GATEWAY", "HOOKLOOP_TENANT"), name, s.Name)
			}
		}
	}
	for _, s := range parts(p) {
		require.Len(t, s.Command, 1)
		role := config.Role(s.Command[0])
		roles[role] = true
		cfg, err := config.ReadService(func(name string) string { return value(s, name) }, role)
		require.NoError(t, err, s.Name)
		require.True(t, cfg.OnPostgres(), "several processes share it")
		if role != config.RoleMigrate {
			requireMounted(t, s, cfg.RegistryKeyFile)
			requireMounted(t, s, cfg.HistoryKeyFile)
		}
		registry, err := url.Parse(cfg.Registry)
		require.NoError(t, err)
		require.Equal(t, "postgres:5432", registry.Host)
		require.Equal(t, "temporal:7233", value(s, "TEMPORAL_ADDRESS"))
	}
	require.Equal(t, map[config.Role]bool{config.RoleServe: true, config.RoleWorker: true, config.RoleMigrate: true}, roles) //nolint:exhaustive // no others
}

// TestCommands: inside the gateway's container, and in the receiver's, commands find the gateway
// and the tenant without flags.
func TestCommands(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	for name, gateway := range map[string]string{"hookloop": "http://127.0.0.1:8080", "receiver": "http://hookloop:8080"} {
		c := config.ReadClient(func(variable string) string { return value(p.Services[name], variable) })
		require.Equal(t, gateway, c.Own, name)
		require.Equal(t, "demo", c.Tenant, name)
	}
}

func requireMounted(t *testing.T, s types.ServiceConfig, path string) {
	t.Helper()
	require.True(t, slices.ContainsFunc(s.Secrets, func(c types.ServiceSecretConfig) bool { return "/run/secrets/"+c.Source == path }), "%s: %s", s.Name, path)
}

// TestPorts: what is published is published on loopback, and leads to where the process listens;
// health checks ask there, too.
func TestPorts(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	for _, s := range p.Services {
		for _, port := range s.Ports {
			require.Equal(t, "127.0.0.1", port.HostIP, s.Name)
		}
	}
	standard := map[string]string{}
	for _, s := range config.Settings(func(string) string { return "" }) {
		_, port, _ := strings.Cut(s.Value, ":")
		standard[s.Name] = port
	}
	for _, s := range hookloops(p) {
		listen := "HOOKLOOP_LISTEN"
		switch {
		case s.HealthCheck == nil, s.Name == "ui":
			continue
		case s.Command[0] == string(config.RoleWorker):
			listen = "HOOKLOOP_OPS_LISTEN"
		default:
			require.Len(t, s.Ports, 1)
			require.Equal(t, standard[listen], s.Ports[0].Published)
			require.Equal(t, standard[listen], fmt.Sprint(s.Ports[0].Target))
		}
		port := standard[listen]
		require.Equal(t, "0.0.0.0:"+port, value(s, listen))
		require.Equal(t, []string{"CMD", "/hookloop", "health", "http://127.0.0.1:" + port + "/readyz"}, []string(s.HealthCheck.Test))
	}
}

// TestOperation: everything comes back by itself and says how it is, or is done once and says so;
// nothing takes the whole machine.
func TestOperation(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	awaited := map[string]bool{} // until they have ended
	for _, s := range p.Services {
		for name, on := range s.DependsOn {
			if on.Condition == types.ServiceConditionCompletedSuccessfully {
				awaited[name] = true
				continue
			}
			if s.Name == "databases" { // without it PostgreSQL is never healthy
				require.Equal(t, types.ServiceConditionStarted, on.Condition)
				continue
			}
			require.Equal(t, types.ServiceConditionHealthy, on.Condition, "%s on %s", s.Name, name)
			requireHealthCheck(t, p.Services[name])
		}
	}
	for _, s := range p.Services {
		require.NotNil(t, s.Deploy, s.Name)
		require.NotNil(t, s.Deploy.Resources.Limits, s.Name)
		require.NotZero(t, s.Deploy.Resources.Limits.MemoryBytes, s.Name)
		require.Zero(t, s.Deploy.Resources.Limits.NanoCPUs, "%s: an engine with fewer processors refuses it", s.Name)
		require.Equal(t, types.Options{"max-size": "20m", "max-file": "5"}, s.Logging.Options, s.Name)
		switch {
		case len(s.Profiles) > 0:
			require.Equal(t, "no", s.Restart, s.Name)
		case awaited[s.Name]:
			require.Regexp(t, `^on-failure`, s.Restart, s.Name)
		default:
			require.Equal(t, "unless-stopped", s.Restart, s.Name)
			requireHealthCheck(t, s)
		}
	}
	for _, s := range hookloops(p) {
		require.NotEmpty(t, s.User, s.Name)
		require.False(t, strings.HasPrefix(s.User, "0"), "not as root")
		require.True(t, s.ReadOnly, s.Name)
		require.Contains(t, s.CapDrop, "ALL")
		require.Greater(t, time.Duration(*s.StopGracePeriod), 32*time.Second, "attempts under way end")
	}
}

// TestMemory: what Go may keep, third parties' bodies beside its heap, expressions in processes of
// their own and the program itself fit in the limit.
func TestMemory(t *testing.T) {
	t.Parallel()
	const bodies, expressions, program = 256 << 20, 4 * 80 << 20, 96 << 20
	for _, s := range parts(mustLoad(t)) {
		var limit int64
		_, err := fmt.Sscanf(value(s, "GOMEMLIMIT"), "%dMiB", &limit)
		require.NoError(t, err, s.Name)
		require.GreaterOrEqual(t, int64(s.Deploy.Resources.Limits.MemoryBytes), limit<<20+bodies+expressions+program, s.Name)
	}
}

// TestImages: ours is made once and looked for in no registry; all others are of an exact version.
func TestImages(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	built := 0
	for _, s := range p.Services {
		if !strings.HasPrefix(s.Image, "hookloop:") {
			require.Regexp(t, `:\d+(\.\d+)+(-alpine)?$`, s.Image)
			require.Nil(t, s.Build)
			continue
		}
		require.Equal(t, types.PullPolicyNever, s.PullPolicy, s.Name)
		if s.Build != nil {
			built++
		}
	}
	require.Equal(t, 1, built)
}

// TestVersions: the server, its schema and its tools are of one version; so is what speaks
// PostgreSQL.
func TestVersions(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	require.Equal(t, p.Services["postgres"].Image, p.Services["databases"].Image)
	_, server, _ := strings.Cut(p.Services["temporal"].Image, ":")
	_, schema, _ := strings.Cut(p.Services["temporal-schema"].Image, ":")
	require.Equal(t, server, schema)
}

func requireHealthCheck(t *testing.T, s types.ServiceConfig) {
	t.Helper()
	require.NotNil(t, s.HealthCheck, s.Name)
	require.False(t, s.HealthCheck.Disable, s.Name)
	require.NotEmpty(t, s.HealthCheck.Test, s.Name)
}

// TestOrphans: PostgreSQL is not the first process of its container. That one gets the orphans of
// health checks, and PostgreSQL would recover from the death of each as from a crash of its own.
func TestOrphans(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	require.NotNil(t, p.Services["postgres"].Init)
	require.True(t, *p.Services["postgres"].Init)
}

// TestPanel: the Temporal UI has the panel, browsers reach it through what shows it, and where that
// is the gateway lets it be framed. e2e shows that it works.
func TestPanel(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	front, ui := p.Services["ui"], p.Services["temporal-ui"]
	require.Empty(t, ui.Ports, "browsers reach it through the one in front")
	require.Equal(t, []types.ServiceConfigObjConfig{{Source: "temporal-ui", Target: "/home/ui-server/config/base.yaml"}}, ui.Configs)
	require.Equal(t, types.ShellCommand{
		"ui", "--listen=0.0.0.0:8233", "--upstream=http://temporal-ui:8080", "--namespace=hookloop",
		"--panel=http://localhost:8080/console/panel", "--origin=http://localhost:8233",
	}, front.Command)
	require.Equal(t, []string{"8233", "8233"}, []string{front.Ports[0].Published, fmt.Sprint(front.Ports[0].Target)})
	require.Equal(t, "http://localhost:8080", value(ui, "PANEL_ORIGIN"))
	require.Equal(t, "http://localhost:8233", value(p.Services["hookloop"], "HOOKLOOP_UI_ORIGINS"))
	require.NotContains(t, front.Networks, "endpoints")
}

// TestFairness: the server has the one switch Hookloop relies on, in the file that it reads.
func TestFairness(t *testing.T) {
	t.Parallel()
	p := mustLoad(t)
	temporal := p.Services["temporal"]
	i := slices.IndexFunc(temporal.Configs, func(c types.ServiceConfigObjConfig) bool {
		return c.Target == value(temporal, "DYNAMIC_CONFIG_FILE_PATH")
	})
	require.NotEqual(t, -1, i)
	var dynamic map[string][]struct{ Value any }
	require.NoError(t, yaml.Unmarshal([]byte(p.Configs[temporal.Configs[i].Source].Content), &dynamic))
	require.Equal(t, []struct{ Value any }{{Value: true}}, dynamic["matching.enableFairness"])
}
