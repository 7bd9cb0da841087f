package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"time"
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

// Service is the configuration of the processes that run in production. Temporal's own (TEMPORAL_*) is
// read by its SDK.
type Service struct {
	Listen          string // host:port of the gateway
	OpsListen       string // host:port where a process tells the operator's machines how it is; may be Listen
	Registry        string // path of a SQLite file, or URL of a PostgreSQL database
	RegistryKeyFile string // holds the key that seals secrets
	HistoryKeyFile  string // holds the keys that encrypt histories; empty: they are in clear
	UIOrigins       []string
	AllowNetworks   []netip.Prefix // networks inside that endpoints may lie in
	Proxies         []netip.Prefix // whose X-Forwarded-For tells the client's address
	Retention       time.Duration  // of ended workflows; zero: as it is, or 30 days where nothing is
	Visibility      string         // URL of Temporal's visibility database; empty: it stays as it is
	JWT             JWT
	Ingest          Ingest
	QuotasFile      string // says what tenants may ask for; empty: the same, generously, for all
}

// standardListen is HOOKLOOP_LISTEN where it is not set.
const standardListen = "127.0.0.1:8080"

// MinRetention is Temporal's: shorter is refused by it.
const MinRetention = 24 * time.Hour

// ReadService reads HOOKLOOP_*; the error names every problem, one a line.
func ReadService(env Env, role Role) (Service, error) {
	jwt, jwtErr := ReadJWT(env)
	ingest, ingestErr := ReadIngest(env)
	s := Service{
		Listen:          or(env("HOOKLOOP_LISTEN"), standardListen),
		OpsListen:       or(env("HOOKLOOP_OPS_LISTEN"), "127.0.0.1:8081"),
		Registry:        env("HOOKLOOP_REGISTRY"),
		RegistryKeyFile: env("HOOKLOOP_REGISTRY_KEY_FILE"),
		HistoryKeyFile:  env("HOOKLOOP_HISTORY_KEY_FILE"),
		UIOrigins:       words(env("HOOKLOOP_UI_ORIGINS")),
		Visibility:      env("HOOKLOOP_TEMPORAL_VISIBILITY"),
		JWT:             jwt,
		Ingest:          ingest,
		QuotasFile:      env("HOOKLOOP_QUOTAS_FILE"),
	}
	var retentionErr, networksErr, proxiesErr error
	s.Retention, retentionErr = readRetention(env)
	s.AllowNetworks, networksErr = ReadNetworks(env)
	s.Proxies, proxiesErr = ReadProxies(env)
	return s, errors.Join(s.problems(role, jwtErr, ingestErr, retentionErr, networksErr, proxiesErr)...)
}

// OpsApart says whether a gateway tells how it is at an address of its own. Port 0 is another one each time.
func (s Service) OpsApart() bool { return s.OpsListen != s.Listen || strings.HasSuffix(s.Listen, ":0") }

func (s Service) problems(role Role, jwtErr error, others ...error) []error {
	problems := others
	if role.listens() {
		problems = append(problems, jwtErr, checkListen("HOOKLOOP_LISTEN", s.Listen))
		if jwtErr == nil && !s.JWT.HasKey() {
			problems = append(problems, errors.New("one of HOOKLOOP_JWT_SECRET, HOOKLOOP_JWT_JWKS_FILE and HOOKLOOP_JWT_JWKS_URL is required"))
		}
	}
	if role == RoleWorker || role.listens() {
		problems = append(problems, checkListen("HOOKLOOP_OPS_LISTEN", s.OpsListen))
	}
	problems = append(problems, CheckRegistry(s.Registry))
	if s.RegistryKeyFile == "" && role != RoleMigrate {
		problems = append(problems, errors.New("HOOKLOOP_REGISTRY_KEY_FILE is required: the file with the key that seals secrets (hookloop key registry makes one)"))
	}
	return problems
}

func readRetention(env Env) (time.Duration, error) {
	text := env("HOOKLOOP_RETENTION")
	if text == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < MinRetention {
		return 0, fmt.Errorf("HOOKLOOP_RETENTION must be a duration of at least %s, like 720h", MinRetention)
	}
	return d, nil
}

// ReadNetworks reads HOOKLOOP_ALLOW_NETWORKS.
func ReadNetworks(env Env) (all []netip.Prefix, err error) {
	for _, text := range words(env("HOOKLOOP_ALLOW_NETWORKS")) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			return nil, errors.New("HOOKLOOP_ALLOW_NETWORKS must list networks, like 10.20.0.0/16")
		}
		for _, special := range specialNetworks {
			if p.Bits() < special.Bits() && p.Overlaps(special) {
				return nil, fmt.Errorf("HOOKLOOP_ALLOW_NETWORKS: %s holds %s and more; name the networks that endpoints lie in", p, special)
			}
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// ReadProxies reads HOOKLOOP_TRUSTED_PROXIES: networks, or addresses.
func ReadProxies(env Env) (all []netip.Prefix, err error) {
	for _, text := range words(env("HOOKLOOP_TRUSTED_PROXIES")) {
		p, err := netip.ParsePrefix(text)
		if err != nil {
			addr, err := netip.ParseAddr(text)
			if err != nil {
				return nil, errors.New("HOOKLOOP_TRUSTED_PROXIES must list addresses or networks, like 10.20.0.7 or 10.20.0.0/24")
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		if p.Bits() == 0 {
			return nil, errors.New("HOOKLOOP_TRUSTED_PROXIES must not hold every address: anybody could name themselves")
		}
		all = append(all, p.Masked())
	}
	return all, nil
}

// specialNetworks lead to this machine and to the metadata of clouds. They may be allowed by their names,
// but not because a wider network holds them: 0.0.0.0/0 would open them to every tenant.
var specialNetworks = []netip.Prefix{
	netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("169.254.0.0/16"),
	netip.MustParsePrefix("::1/128"), netip.MustParsePrefix("fe80::/10"),
}

// words are what commas or blanks separate.
func words(list string) []string { return strings.Fields(strings.ReplaceAll(list, ",", " ")) }

func checkListen(name, addr string) error {
	if _, _, err := net.SplitHostPort(addr); err != nil {
		return fmt.Errorf("%s must be host:port, like 127.0.0.1:8080", name)
	}
	return nil
}

// keywords is how libpq writes a connection: host=… password=… dbname=….
var keywords = regexp.MustCompile(`(?i)(^|\s)(host|hostaddr|port|dbname|user|password|passfile|service|sslmode|options)\s*=`)

// CheckRegistry refuses what would be taken for the name of a file and is none. It never quotes it.
func CheckRegistry(place string) error {
	const want = "a URL like postgres://user@host:5432/database, or the path of a SQLite file"
	switch {
	case place == "":
		return errors.New("HOOKLOOP_REGISTRY is required: " + want)
	case (Service{Registry: place}).OnPostgres():
		return nil
	case keywords.MatchString(place):
		return errors.New("HOOKLOOP_REGISTRY is a connection in keywords (host=… dbname=…); write it as " + want)
	case strings.Contains(place, "://"), strings.HasPrefix(place, "postgres:"), strings.HasPrefix(place, "postgresql:"):
		return errors.New("HOOKLOOP_REGISTRY is not a PostgreSQL URL and no path; write " + want)
	}
	return nil
}

// OnPostgres says whether the registry is a PostgreSQL database.
func (s Service) OnPostgres() bool {
	return strings.HasPrefix(s.Registry, "postgres://") || strings.HasPrefix(s.Registry, "postgresql://")
}
