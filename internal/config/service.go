package config

import (
	"errors"
	"regexp"
	"strings"
)

// Role is what a process of the production shape does.
type Role string

// The roles. A process that serves does both, on one Temporal client: the fast lane.
const (
	RoleServe   Role = "serve"
	RoleGateway Role = "gateway"
	RoleWorker  Role = "worker"
	RoleMigrate Role = "migrate"
	RoleReseal  Role = "reseal"
)

func (r Role) listens() bool { return r == RoleServe || r == RoleGateway }

// Service is the configuration of the processes that run in production. Temporal's own (TEMPORAL_*)
// is read by its SDK.
type Service struct {
	Listen          Address   `env:"HOOKLOOP_LISTEN" envDefault:"127.0.0.1:8080" doc:"host:port of the gateway"`
	OpsListen       Address   `env:"HOOKLOOP_OPS_LISTEN" envDefault:"127.0.0.1:8081" doc:"host:port of /healthz, /readyz and /metrics; a gateway's may be HOOKLOOP_LISTEN"`
	Registry        string    `env:"HOOKLOOP_REGISTRY" doc:"the registry: a PostgreSQL URL, or the path of a SQLite file"`
	RegistryKeyFile string    `env:"HOOKLOOP_REGISTRY_KEY_FILE" doc:"the key that seals secrets"`
	UIOrigins       Words     `env:"HOOKLOOP_UI_ORIGINS" doc:"origins of Temporal UIs that may decode histories at /codec"`
	Proxies         Proxies   `env:"HOOKLOOP_TRUSTED_PROXIES" doc:"proxies whose X-Forwarded-For tells a client's address; unset: none"`
	Retention       Retention `env:"HOOKLOOP_RETENTION" doc:"how long ended workflows are kept, at least 24h; used by migrate"`
	Visibility      string    `env:"HOOKLOOP_TEMPORAL_VISIBILITY" doc:"PostgreSQL URL of Temporal's visibility database; used by migrate --lean-visibility"`
	Deployment      Deployment
	Everywhere
}

// Deployment is the version of a worker, for Temporal's worker versioning. Zero: it has none.
type Deployment struct {
	Name    string `env:"HOOKLOOP_DEPLOYMENT_NAME" doc:"Temporal's worker versioning: the name of all versions; unset: workers have none"`
	BuildID string `env:"HOOKLOOP_DEPLOYMENT_BUILD_ID" doc:"and the version of this process, like 0.2.0"`
}

// Temporal joins the two with a dot, and so takes none in the name.
var (
	deploymentName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,100}$`)
	buildID        = regexp.MustCompile(`^[A-Za-z0-9._+-]{1,100}$`)
)

func (d Deployment) check() error {
	switch {
	case d == Deployment{}:
	case d.Name == "" || d.BuildID == "":
		return errors.New("HOOKLOOP_DEPLOYMENT_NAME and HOOKLOOP_DEPLOYMENT_BUILD_ID go together: set both, or neither")
	case !deploymentName.MatchString(d.Name):
		return errors.New("HOOKLOOP_DEPLOYMENT_NAME must be 1 to 100 letters, digits, - and _")
	case !buildID.MatchString(d.BuildID):
		return errors.New("HOOKLOOP_DEPLOYMENT_BUILD_ID must be 1 to 100 letters, digits, and . _ + -")
	}
	return nil
}

// Everywhere is what 'hookloop dev' takes from the environment as well.
type Everywhere struct {
	HistoryKeyFile string   `env:"HOOKLOOP_HISTORY_KEY_FILE" doc:"the keys that encrypt histories; unset: they are in clear"`
	AllowNetworks  Networks `env:"HOOKLOOP_ALLOW_NETWORKS" doc:"networks inside that endpoints may lie in; unset: none"`
	QuotasFile     string   `env:"HOOKLOOP_QUOTAS_FILE" doc:"what each tenant may ask for, as JSON; unset: the same, generously, for all"`
	Console        bool     `env:"HOOKLOOP_CONSOLE" envDefault:"true" doc:"whether the gateway serves the console at /console"`
	ConsoleURL     URL      `env:"HOOKLOOP_CONSOLE_URL" doc:"where people reach the gateway with the console, to be named in events like endpoint.held; unset: it is not named"`
	AttemptsAge    Age      `env:"HOOKLOOP_ATTEMPTS_AGE" envDefault:"720h" doc:"how long the attempt log keeps attempts, and counts of them by the hour"`
	AttemptsRows   Rows     `env:"HOOKLOOP_ATTEMPTS_ROWS" envDefault:"10000000" doc:"how many attempts the log keeps, some 400 bytes each; the oldest go first"`
	Log            Log
	OIDC           OIDC
	JWT            JWT
	Ingest         Ingest
}

// ReadService reads HOOKLOOP_*; the error names every problem, one a line.
func ReadService(lookup Env, role Role) (s Service, err error) {
	err = read(lookup, &s)
	return s, errors.Join(append([]error{err}, s.problems(role)...)...)
}

// ReadEverywhere reads what 'hookloop dev' takes from the environment. A key for tokens is not
// needed there.
func ReadEverywhere(lookup Env) (e Everywhere, err error) {
	err = read(lookup, &e)
	return e, errors.Join(err, e.JWT.check(), e.checkOIDC())
}

// OpsApart says whether a gateway tells how it is at an address of its own. Port 0 is another one
// each time.
func (s Service) OpsApart() bool {
	return s.OpsListen != s.Listen || strings.HasSuffix(string(s.Listen), ":0")
}

func (s Service) problems(role Role) (all []error) {
	if role.listens() {
		err := s.JWT.check()
		if err == nil && !s.JWT.HasKey() {
			err = errors.New("one of HOOKLOOP_JWT_SECRET, HOOKLOOP_JWT_JWKS_FILE and HOOKLOOP_JWT_JWKS_URL is required")
		}
		all = append(all, err, s.checkOIDC())
	}
	all = append(all, CheckRegistry(s.Registry), s.Deployment.check())
	if s.RegistryKeyFile == "" && role != RoleMigrate {
		all = append(all, errors.New("HOOKLOOP_REGISTRY_KEY_FILE is required: the file with the key that seals secrets (hookloop key registry makes one)"))
	}
	return all
}

// keywords is how libpq writes a connection: host=… password=… dbname=….
var keywords = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=`)

// CheckRegistry refuses what would be taken for the name of a file and is none. It never quotes it.
func CheckRegistry(location string) error {
	const want = "a URL like postgres://user@host:5432/database, or the path of a SQLite file"
	switch {
	case location == "":
		return errors.New("HOOKLOOP_REGISTRY is required: " + want)
	case (Service{Registry: location}).OnPostgres():
		return nil
	case keywords.MatchString(location):
		return errors.New("HOOKLOOP_REGISTRY is a connection in keywords (host=… dbname=…); write it as " + want)
	case strings.Contains(location, "://"), strings.HasPrefix(location, "postgres:"), strings.HasPrefix(location, "postgresql:"):
		return errors.New("HOOKLOOP_REGISTRY is not a PostgreSQL URL and no path; write " + want)
	}
	return nil
}

// OnPostgres says whether the registry is a PostgreSQL database.
func (s Service) OnPostgres() bool {
	return strings.HasPrefix(s.Registry, "postgres://") || strings.HasPrefix(s.Registry, "postgresql://")
}
