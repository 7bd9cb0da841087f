package docker

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// Versions of what stands in: Debian's PostgreSQL, and what go.mod has of Temporal, which is as new
// as our Go builds.
const (
	debian     = "hookloop-standin/debian:bookworm"
	distroless = "hookloop-standin/distroless-static:debian"
	postgres   = "hookloop-standin/postgres:15-debian"
	server     = "hookloop-standin/temporal-server:go-proxy"
	adminTools = "hookloop-standin/temporal-admin-tools:go-proxy"
	ui         = "hookloop-standin/temporal-ui:go-proxy"
	program    = "hookloop-standin/program" // with a tag for each of Releases
)

// golang has the Go of this machine. golangRoots trusts whom this machine trusts, too: the way to
// the Go proxy may need it.
var (
	golang      = "hookloop-standin/golang:" + runtime.Version()
	golangRoots = golang + "-roots"
)

// Releases are the versions of Hookloop that can be built: HOOKLOOP_VERSION in .env.
var Releases = []string{"dev", "next"}

// override puts the stand-ins into the places of images that no engine here can pull. All else is
// the real file.
var override = `services:
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

// MakeStandins makes what is missing of the images.
func (e *Engine) MakeStandins(t testing.TB) {
	t.Helper()
	e.makeBases(t)
	e.build(t, postgres, "postgres", filepath.Join(here(), "standins"))
	e.makeTemporal(t)
	for _, release := range Releases {
		e.makeProgram(t, release)
	}
}

// makeBases makes the images that the Dockerfile begins with.
func (e *Engine) makeBases(t testing.TB) {
	t.Helper()
	e.makeDebian(t)
	e.build(t, distroless, "distroless", t.TempDir())
	if !e.has(golang) { // it is large
		e.build(t, golang, "golang", goEnv(t, "GOROOT"))
	}
	roots := t.TempDir()
	copyFile(t, "/etc/ssl/certs/ca-certificates.crt", roots)
	e.build(t, golangRoots, "golang-roots", roots)
}

// BuildProgram builds the Dockerfile's stage "build" in a container, through the Go proxy, and
// answers what the program says of its version.
func (e *Engine) BuildProgram(t testing.TB) string {
	t.Helper()
	e.makeBases(t)
	const image = "hookloop:built-in-a-container"
	return e.RunAsPerson(t, "docker build --quiet --build-arg VERSION=built-in-a-container --build-arg DEBIAN="+debian+
		" --build-arg GO="+golangRoots+" --build-arg BASE="+distroless+" --tag "+image+" . >/dev/null && docker run --rm "+image+" --version")
}

// makeDebian makes the base of all others. It stays from run to run: what Debian mends meanwhile is
// nothing to a test. A machine on which no container runs, or none reaches Debian, skips the test.
func (e *Engine) makeDebian(t testing.TB) {
	t.Helper()
	probe := "true"
	if !e.has(debian) {
		root := filepath.Join(t.TempDir(), "debian")
		e.Run(t, fmt.Sprintf(`debootstrap --variant=minbase bookworm %[1]s >%[2]s/debootstrap.log || { tail -20 %[2]s/debootstrap.log; exit 1; }
			rm -rf %[1]s/var/cache/apt/archives/*.deb
			tar -c -C %[1]s . | docker import - %[3]s
			rm -rf %[1]s`, root, e.Dir, debian))
		probe = "apt-get -qq update"
	}
	if said, err := e.run(t.Context(), 0, "docker run --rm --memory 256m --sysctl net.ipv4.tcp_retries2=6 "+debian+" "+probe); err != nil {
		skip(t, "containers do not run here: "+said)
	}
}

// makeTemporal builds Temporal's own programs and starts them as its images do, with their files.
func (e *Engine) makeTemporal(t testing.TB) {
	t.Helper()
	folder := e.programs(t, "temporal")
	e.goBuild(t, "temporal", filepath.Join(folder, "temporal-server"), "go.temporal.io/server/cmd/server")
	e.goBuild(t, "temporal", filepath.Join(folder, "temporal-sql-tool"), "go.temporal.io/server/cmd/tools/sql")
	e.goBuild(t, "temporal", filepath.Join(folder, "ui-server"), "github.com/temporalio/ui-server/v2/cmd/server")
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
	folder := e.programs(t, "hookloop-"+release)
	e.goRun(t, e.Checkout, []string{"CGO_ENABLED=0", "GOTOOLCHAIN=local", "GOFLAGS="}, "build", "-tags", "noembed", "-trimpath", "-buildvcs=false",
		"-ldflags", "-s -w -X main.version="+release, "-o", filepath.Join(folder, "hookloop"), "./cmd/hookloop")
	e.build(t, program+":"+release, "program", folder)
}

// programs is a folder for programs that stays from run to run: Go does not link again what has not
// changed.
func (e *Engine) programs(t testing.TB, name string) string {
	t.Helper()
	folder := filepath.Join(e.Dir, "programs", name)
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // images are made of it
		t.Fatal(err)
	}
	return folder
}

// goBuild builds a program of a module beside this package, with the flags that the rest is built
// with.
func (e *Engine) goBuild(t testing.TB, module, to, pkg string) {
	t.Helper()
	e.goRun(t, filepath.Join(here(), module), nil, "build", "-ldflags=-s -w", "-o", to, pkg)
}

func (e *Engine) goRun(t testing.TB, folder string, env []string, args ...string) {
	t.Helper()
	ctx, cancel := e.bounded(t.Context())
	defer cancel()
	c := exec.CommandContext(ctx, "go", args...)
	var said bytes.Buffer
	c.Dir, c.Env, c.Stderr = folder, append(c.Environ(), env...), &said
	if err := c.Run(); err != nil {
		e.fail(t, err, "go "+strings.Join(args, " "), said.String())
	}
}

// here is this package's folder.
func here() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Dir(file)
}

func (e *Engine) has(image string) bool {
	_, err := e.run(context.Background(), 0, "docker image inspect "+image)
	return err == nil
}

// build builds a stand-in from standins/NAME.Dockerfile and a folder; the engine skips what it has
// built before.
func (e *Engine) build(t testing.TB, image, name, folder string) {
	t.Helper()
	e.Run(t, fmt.Sprintf("DOCKER_BUILDKIT=0 docker build --quiet --build-arg DEBIAN=%s --build-arg GO=%s --tag %s --file %s %s",
		debian, golang, image, filepath.Join(here(), "standins", name+".Dockerfile"), folder))
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
