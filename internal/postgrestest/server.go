package postgrestest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
)

func start(cfg Config) (_ *Server, err error) {
	s := &Server{cfg: cfg, password: rand.Text()}
	if s.programs, err = find(); err != nil {
		return nil, err
	}
	if s.folder, err = newFolder(); err != nil {
		return nil, err
	}
	s.Data = filepath.Join(s.folder.path, "data")
	if err := s.initialise(); err != nil {
		s.folder.remove()
		return nil, err
	}
	// Between finding a free port and listening there, another program may take it.
	for range 3 {
		if s.port, err = freePort(); err != nil {
			break
		}
		if err = s.run(); err == nil {
			return s, nil
		}
	}
	s.folder.remove()
	return nil, err
}

// initialise makes the data directory. Even for a test it asks for a password: a user who may do
// everything in a database may run programs on its machine.
func (s *Server) initialise() error {
	secret := filepath.Join(s.folder.path, "password")
	if err := os.WriteFile(secret, []byte(s.password), 0o600); err != nil {
		return err
	}
	if err := s.folder.own(secret); err != nil {
		return err
	}
	defer func() { _ = os.Remove(secret) }()

	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.programs.initdb, "--pgdata", s.Data, "--username", user, "--pwfile", secret,
		"--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C", "--wal-segsize", "1", "--no-sync")
	cmd.Dir, cmd.SysProcAttr = s.folder.path, s.folder.runAs()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", s.programs.initdb, err, out)
	}
	if s.cfg.Host == "" {
		return nil
	}
	return s.letIn("samenet")
}

// letIn lets clients connect from elsewhere than loopback, with the password.
func (s *Server) letIn(from string) error {
	rules, err := os.OpenFile(filepath.Join(s.Data, "pg_hba.conf"), os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(rules, "host all all %s scram-sha-256\n", from)
	return errors.Join(err, rules.Close())
}

// run starts the server and waits until it answers.
func (s *Server) run() (err error) {
	log, err := os.OpenFile(s.log(), os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own by then
	durable := "off"
	if s.cfg.Fsync {
		durable = "on"
	}
	cmd := exec.CommandContext(context.Background(), s.programs.postgres, "-D", s.Data, // stop ends it
		"-c", "listen_addresses="+s.cfg.host(), "-c", fmt.Sprintf("port=%d", s.port),
		"-c", "unix_socket_directories="+s.folder.path, "-c", "max_connections=300",
		"-c", "fsync="+durable, "-c", "full_page_writes="+durable)
	for _, setting := range s.cfg.Settings {
		cmd.Args = append(cmd.Args, "-c", setting)
	}
	cmd.Dir, cmd.Stdout, cmd.Stderr = s.folder.path, log, log
	if s.process, err = launch(cmd, s.folder.runAs(), s.cfg.Enter); err != nil {
		return err
	}
	if err = s.answers(); err != nil {
		return errors.Join(err, s.process.stop())
	}
	return nil
}

// answers waits until the server takes connections.
func (s *Server) answers() error {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	again := time.NewTicker(10 * time.Millisecond)
	defer again.Stop()
	for {
		conn, err := pgx.Connect(ctx, s.URL("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-s.process.ended:
			return fmt.Errorf("the PostgreSQL server ended: %s", s.lastWords())
		case <-ctx.Done():
			return fmt.Errorf("the PostgreSQL server does not answer: %w: %s", err, s.lastWords())
		case <-again.C:
		}
	}
}

func (s *Server) log() string { return filepath.Join(s.folder.path, "log") }

func (s *Server) lastWords() string {
	words, err := os.ReadFile(s.log())
	if err != nil {
		return err.Error()
	}
	return string(words[max(0, len(words)-2000):])
}

func freePort() (int, error) {
	var lc net.ListenConfig
	l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}
