# Everything a contributor runs. `make` alone lists it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# The Go that is installed, never one fetched behind our back: the embedded engine's versions are
# chosen for it (docs/adr/0004-embedded-engine-versions.md).
export GOTOOLCHAIN := local

VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL     := go tool -modfile=tools/go.mod
FUZZTIME ?= 20s
# Go ends a package's tests after ten minutes, and a slow machine takes longer for e2e.
TIMEOUT  ?= 1h
BENCH    ?= --events 2000 --clients 32 --bare
RELEASE  ?= $(VERSION)

# go.mod is the product's alone. What tests need beside it is required by modules of their own.
MODULES  := . e2e e2e/compose e2e/provider deploy/tests
each      = @for m in $(MODULES); do echo "== $$m"; (cd $$m && $(1)) || exit 1; done
LINT     := go tool -modfile=$(CURDIR)/tools/go.mod golangci-lint
RELEASER := go tool -modfile=$(CURDIR)/tools/release/go.mod goreleaser
IMAGE    ?= $(or $(HOOKLOOP_IMAGE),hookloop)

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1m%-14s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## bin/hookloop, one static binary with the embedded engine
	CGO_ENABLED=0 go build -trimpath -ldflags '-X main.version=$(VERSION)' -o bin/hookloop ./cmd/hookloop

.PHONY: dev
dev: ## run everything in one process: Temporal, its UI, gateway, worker
	go run ./cmd/hookloop dev

.PHONY: cluster
cluster: ## run the production shape in processes: PostgreSQL, Temporal, two gateways, two workers; no Docker
	go run -C e2e ./cluster/run

.PHONY: image
image: ## the container image IMAGE:VERSION (needs Docker with BuildKit: Debian's docker-buildx, from version 23 on)
	DOCKER_BUILDKIT=1 docker build --build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) .

.PHONY: docker
docker: ## docker-compose.yml in a Docker engine of its own: kills, cuts, upgrade (as root; needs docker.io and debootstrap)
	HOOKLOOP_DOCKER=$(or $(HOOKLOOP_DOCKER),1) go test -C e2e -count=1 -v -timeout $(TIMEOUT) -run '^TestDocker' .

.PHONY: test
test: ## all tests, end to end included
	$(call each,go test $$([ $$m = . ] || echo -count=1) -timeout $(TIMEOUT) ./...) # the others build what they test, which Go's cache does not know

.PHONY: race
race: ## all tests under the race detector (needs gcc)
	$(call each,CGO_ENABLED=1 go test -race -timeout $(TIMEOUT) ./...)

.PHONY: check
check: fmt-check vet lint workflowcheck race replay fresh ## all that must hold before a commit

.PHONY: fmt
fmt: ## format the code (gofumpt, gci)
	$(call each,$(LINT) fmt ./...)

.PHONY: fmt-check
fmt-check: ## fail on code that is not formatted
	$(call each,$(LINT) fmt --diff ./...)

.PHONY: vet
vet: ## go vet
	$(call each,go vet ./...)

.PHONY: lint
lint: ## golangci-lint, with the import arrows of docs/architecture.md
	$(call each,$(LINT) run ./...)

.PHONY: workflowcheck
workflowcheck: ## nothing non-deterministic within reach of a workflow
	$(TOOL) workflowcheck -config tools/workflowcheck.yaml ./workflows/...

.PHONY: replay
replay: ## recorded histories replay on this code
	go test -count=1 -run '^TestReplay' ./workflows

.PHONY: fresh
fresh: ## generated files and go.mod are up to date
	go test -count=1 -run '^TestOpenAPI' ./gateway
	$(call each,go mod tidy -diff)

.PHONY: tidy
tidy: ## go mod tidy in every module
	$(call each,go mod tidy)

.PHONY: record
record: ## write replay histories as RELEASE (about 150 s); run it from a released tag, never from the change under test
	go test -C e2e -count=1 -run '^TestRecord' . -record $(RELEASE)
	go test -count=1 -run '^TestLedger$$' ./internal/audit -update

.PHONY: fuzz
fuzz: ## each fuzz target for FUZZTIME (20s)
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' . \
		| sed -E 's|/[^/]*:func | |' \
		| while read -r package target; do \
			echo "$$package $$target"; \
			go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$package" </dev/null; \
		done

PROOF := Kill|Restart|CrashWhileWaiting|Split|EngineGone|Cluster|ClusterOldAndNew|Networks|Neighbour|PowerCut|PowerCutUnsynced|StoreFaults|DiskFaults|StartOnBadDisk|ArchiveOnBadDisk

.PHONY: proof
proof: ## break what docs/reliability.md lists, and judge what was promised (within an hour; power cuts, bad disks and cut networks as root)
	go test -count=1 ./internal/check ./internal/registry/faulty
	go test -C e2e -count=1 ./powercut ./clock ./wires
	go test -C e2e -count=1 -v -timeout 0 ./simulation -simulate -run '^Test(Finds|ClockSteps)'
	$(MAKE) --no-print-directory simulate-some WITHIN=10m
	go test -C e2e -count=1 -v -timeout $(TIMEOUT) -run '^Test($(PROOF))$$' . -proof -cuts 40

.PHONY: proof-some
proof-some: simulate-some ## a share of it, in a quarter of an hour
	go test -C e2e -count=1 -v -timeout $(TIMEOUT) -run '^Test(Kill|StoreFaults|PowerCut|DiskFaults|Networks)$$' . -proof -cuts 4 -short-cuts

WITHIN ?= 4m

.PHONY: simulate-some
simulate-some: ## days of the whole system for as many of 200 seeds as two processors run WITHIN (4m)
	go test -C e2e -count=1 ./simulation # compiled once, before both
	@all=; for seed in 0 100; do \
		go test -C e2e -count=1 -v -timeout 0 ./simulation -simulate -run '^TestSimulation$$' -runs 100 -seed $$seed -within $(WITHIN) & all="$$all $$!"; \
	done; failed=0; for one in $$all; do wait $$one || failed=1; done; exit $$failed

RUNS ?= 1000

.PHONY: simulate
simulate: ## days of the whole system for each of RUNS (1000) seeds, from SEED on
	go test -C e2e -count=1 -v -timeout 0 ./simulation -simulate -run '^TestSimulation$$' -runs $(RUNS) -seed $(or $(SEED),0)

SOAK ?= 10m

.PHONY: soak
soak: ## a steady load for SOAK (10m), and a fortnight of a moved clock: nothing grows
	go test -C e2e -count=1 -v -timeout 0 ./simulation -simulate -run '^TestFortnight$$'
	go test -C e2e -count=1 -v -timeout 0 -run '^TestSoak$$' . -soak $(SOAK)

.PHONY: bench
bench: build ## measure events per second, beside bare Temporal workflows
	./bin/hookloop bench $(BENCH)

.PHONY: bench-table
bench-table: build ## measure everything that docs/benchmarks.md tells of, and print its tables (half an hour, an idle machine)
	./bin/hookloop bench --table

.PHONY: judges
judges: ## let the npm packages of Standard Webhooks and Svix verify what an endpoint received
	go test -count=1 -v -run '^TestJudges' ./internal/sender

.PHONY: vuln
vuln: ## known vulnerabilities in what we call (needs the network); says what it could not look at
	@tools/vuln $(TOOL) govulncheck

.PHONY: snapshot
snapshot: export RELEASE_MODFILE := $(CURDIR)/tools/release/go.mod
snapshot: ## what a release consists of, for this machine and without publishing: dist/
	$(RELEASER) release --snapshot --clean

.PHONY: release
release: export RELEASE_MODFILE := $(CURDIR)/tools/release/go.mod
release: ## publish the tag that is checked out: binaries as a draft release, the image as IMAGE:VERSION (CI does it)
	$(RELEASER) release --clean --release-notes <(tools/notes $(VERSION))
	docker buildx build --platform linux/amd64,linux/arm64 --sbom=true --provenance=true \
		--build-arg VERSION=$(VERSION) -t $(IMAGE):$(VERSION) --push .
