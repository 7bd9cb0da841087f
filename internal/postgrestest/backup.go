package postgrestest

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// Backup copies everything the running server has as it is at one moment, and gives the copy's
// path: a base backup with the WAL that was written meanwhile. It goes with the server.
func (s *Server) Backup(t testing.TB) string {
	t.Helper()
	path := filepath.Join(s.folder.path, backupName)
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, s.programs.beside("pg_basebackup"),
		"--host", "127.0.0.1", "--port", fmt.Sprint(s.port), "--username", user,
		"--pgdata", path, "--wal-method", "stream", "--checkpoint", "fast", "--no-sync")
	cmd.Env = append(cmd.Environ(), "PGPASSWORD="+s.password, "PGSSLMODE=disable", "PGOPTIONS=")
	cmd.Dir, cmd.SysProcAttr = s.folder.path, s.folder.runAs()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("pg_basebackup: %v: %s", err, out)
	}
	return path
}

// Restore puts a backup in the place of what a stopped server had.
func (s *Server) Restore(t testing.TB, backup string) {
	t.Helper()
	err := os.RemoveAll(s.Data)
	if err == nil {
		err = os.Rename(backup, s.Data)
	}
	if err != nil {
		t.Fatal(fmt.Errorf("restore: %w", err))
	}
}
