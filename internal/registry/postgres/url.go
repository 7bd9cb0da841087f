package postgres

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	neturl "net/url"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

var (
	errURL     = errors.New("registry: the URL must be like postgres://user@host:5432/database")
	errStandby = errors.New("the server takes no writes: it is a standby, or its database is read-only")
)

// parse reads the URL of a registry. What it does not say comes from the environment, as with any
// PostgreSQL client (PGPASSWORD, ~/.pgpass).
func parse(url string) (*pgx.ConnConfig, error) {
	// What goes wrong with a URL may quote it, and so its password: only pgx's reasons are shown,
	// and those only once the URL itself is in order.
	if u, err := neturl.Parse(url); err != nil || u.Scheme != "postgres" && u.Scheme != "postgresql" {
		return nil, errURL
	}
	cfg, err := pgx.ParseConfig(url)
	if err != nil {
		if why := errors.Unwrap(err); why != nil {
			return nil, fmt.Errorf("registry: the URL: %w", why)
		}
		return nil, errURL
	}
	cfg.RuntimeParams["application_name"] = cmp.Or(cfg.RuntimeParams["application_name"], "hookloop")
	cfg.ValidateConnect = primary
	return cfg, nil
}

// primary refuses to connect to a standby: what it answers may be old. Of several hosts in the URL
// the one that takes writes is found, also when that becomes another one.
func primary(ctx context.Context, c *pgconn.PgConn) error {
	answers, err := c.Exec(ctx, "SHOW transaction_read_only").ReadAll()
	if err != nil {
		return err
	}
	if string(answers[0].Rows[0][0]) == "on" {
		return errStandby
	}
	return nil
}

// at says which registry an error is about.
func at(cfg *pgx.ConnConfig, err error) error {
	host := cfg.Host
	if !strings.HasPrefix(host, "/") { // the folder of a Unix socket
		host = net.JoinHostPort(host, strconv.Itoa(int(cfg.Port)))
	}
	return fmt.Errorf("registry %s/%s: %w", host, cfg.Database, explain(err))
}
