package docker

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// Versions of what stands in: Debian's PostgreSQL, and what go.mod has of Temporal, which is as new
// as our Go builds.
const (
	debian     = "hookloop-standin/debian:bookworm"
	golang     = "hookloop-standin/golang:host"
	distroless = "hookloop-standin/distroless-static:debian"
	postgres   = "hookloop-standin/postgres:15-debian"
	server     = "hookloop-standin/temporal-server:go-proxy"
	adminTools = "hookloop-standin/temporal-admin-tools:go-proxy"
	ui         = "hookloop-standin/temporal-ui:go-proxy"
	program    = "hookloop-standin/program" // with a tag for each of Releases
)

// Releases are the versions of Hookloop that can be built: HOOKLOOP_VERSION in .env.
var Releases = []string{"dev", "next"}

// override puts the stand-ins into the places of images that no engine here can pull. All else is
// the real file.
const override = `services:
  postgres: {image: "` + postgres + `"}
  databases: {image: "` + postgres + `"}
  temporal-schema: {image: "` + adminTools + `"}
  temporal: {image: "` + server + `"}
  temporal-ui: {image: "` + ui + `"}
  hookloop:
    build:
      args:
        DEBIAN: "` + debian + `"
        GO: "` + golang + `"
        BASE: "` + distroless + `"
        PROGRAM: "` + program + `:${HOOKLOOP_VERSION:-dev}"
`

// makeStandins makes what is missing of the images, and the file that puts them in place.
func (e *Engine) makeStandins(t testing.TB, file string) {
	t.Helper()
	e.makeDebian(t)
	e.build(t, golang, "golang", goEnv(t, "GOROOT"))
	e.build(t, distroless, "distroless", t.TempDir())
	e.build(t, postgres, "postgres", filepath.Join(here(), "standins"))
	e.makeTemporal(t)
	for _, release := range Releases {
		e.makeProgram(t, release)
	}
	if err := os.WriteFile(file, []byte(override), 0o600); err != nil {
		t.Fatal(err)
	}
}

// makeDebian makes the base of all others. It stays from run to run: what Debian mends meanwhile is
// nothing to a test.
func (e *Engine) makeDebian(t testing.TB) {
	t.Helper()
	if e.has(debian) {
		return
	}
	root := filepath.Join(t.TempDir(), "debian")
	e.Run(t, fmt.Sprintf(`debootstrap --variant=minbase bookworm %[1]s >%[2]s/debootstrap.log || { tail -20 %[2]s/debootstrap.log; exit 1; }
		rm -rf %[1]s/var/cache/apt/archives/*.deb
		tar -c -C %[1]s . | docker import - %[3]s
		rm -rf %[1]s`, root, e.Dir, debian))
}

// makeTemporal builds Temporal's own programs and starts them as its images do, with their files.
func (e *Engine) makeTemporal(t testing.TB) {
	t.Helper()
	folder := t.TempDir()
	goBuild(t, "temporal", filepath.Join(folder, "temporal-server"), "go.temporal.io/server/cmd/server")
	goBuild(t, "temporal", filepath.Join(folder, "temporal-sql-tool"), "go.temporal.io/server/cmd/tools/sql")
	goBuild(t, "temporal", filepath.Join(folder, "ui-server"), "github.com/temporalio/ui-server/v2/cmd/server")
	copyFile(t, filepath.Join(moduleDir(t, "go.temporal.io/server"), "docker/scripts/sh/entrypoint.sh"), folder)
	uiDir := moduleDir(t, "github.com/temporalio/ui-server/v2")
	copyFile(t, filepath.Join(uiDir, "config/docker.yaml"), folder)
	copyFile(t, filepath.Join(uiDir, "docker/start-ui-server.sh"), folder)
	e.build(t, server, "temporal-server", folder)
	e.build(t, adminTools, "temporal-admin-tools", folder)
	e.build(t, ui, "temporal-ui", folder)
}

// makeProgram builds Hookloop as the Dockerfile does, outside of the engine, where Go's caches are.
func (e *Engine) makeProgram(t testing.TB, release string) {
	t.Helper()
	folder := t.TempDir()
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "noembed", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+release, "-o", filepath.Join(folder, "hookloop"), "./cmd/hookloop")
	build.Dir, build.Env = e.Checkout, append(os.Environ(), "CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS=")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	e.build(t, program+":"+release, "program", folder)
}

func (e *Engine) has(image string) bool {
	_, err := e.run(context.Background(), "docker image inspect "+image)
	return err == nil
}

// build builds a stand-in from standins/NAME.Dockerfile and a folder; the engine skips what it has
// built before.
func (e *Engine) build(t testing.TB, image, name, folder string) {
	t.Helper()
	e.Run(t, fmt.Sprintf("DOCKER_BUILDKIT=0 docker build --quiet --build-arg DEBIAN=%s --tag %s --file %s %s",
		debian, image, filepath.Join(here(), "standins", name+".Dockerfile"), folder))
}

func copyFile(t testing.TB, from, folder string) {
	t.Helper()
	content, err := os.ReadFile(from)
	if err == nil {
		err = os.WriteFile(filepath.Join(folder, filepath.Base(from)), content, 0o755) //nolint:gosec // scripts run in the image
	}
	if err != nil {
		t.Fatal(err)
	}
}

// moduleDir is where Go keeps a module's files.
func moduleDir(t testing.TB, module string) string {
	t.Helper()
	return goSays(t, "list", "-C", filepath.Join(here(), "temporal"), "-m", "-f", "{{.Dir}}", module)
}

func goEnv(t testing.TB, name string) string {
	t.Helper()
	return goSays(t, "env", name)
}

func goSays(t testing.TB, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	said := strings.TrimSpace(string(out))
	if err != nil || said == "" {
		t.Fatalf("go %s: %v", strings.Join(slices.Compact(args), " "), err)
	}
	return said
}
