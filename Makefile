# What one can do here, from a clone and with Go, make and git alone.
# `make` or `make help` lists the targets.

VERSION      := $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LINT_VERSION := v2.15.0
LINT         := .cache/bin/golangci-lint-$(LINT_VERSION)
ACT_VERSION  := v0.2.89
ACT          := .cache/bin/act-$(ACT_VERSION)
ACTIONLINT_VERSION := v1.7.12
ACTIONLINT   := .cache/bin/actionlint-$(ACTIONLINT_VERSION)
IMAGE        := localhost/signatus:devel

# Give these on the command line: make test TESTFLAGS=-v, make fuzz FUZZTIME=1000000x.
TESTFLAGS    :=
BENCH        := .
# A number of inputs and no duration: at the end of one, go test -fuzz may fail
# with "context deadline exceeded" on a busy machine (golang/go#75804).
FUZZTIME     := 100000x

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help build test sandbox stock interop demo image action-test bench fuzz lint actionlint race reproduce release release-test conformance clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# The version comes from git describe and not from Go's own stamp, so that a
# source archive and a checkout of another owner build too.
build: ## bin/signatus, static and reproducible
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION)' -o bin/signatus ./cmd/signatus

test: build ## vet, build, and run every test
	go vet ./...
	go test -timeout 9m $(TESTFLAGS) ./...
	cd internal/sandbox && go vet ./... && go test -timeout 9m $(TESTFLAGS) ./...
	cd internal/intotopeer && go vet ./... && go test -timeout 9m $(TESTFLAGS) ./...

# The sandbox has its own module, so that Fulcio's dependencies stay out of ours.
sandbox: ## bin/sandbox, a whole Sigstore on loopback: bin/sandbox run -- COMMAND
	cd internal/sandbox && CGO_ENABLED=0 go build -trimpath -buildvcs=false -o '$(CURDIR)/bin/sandbox' ./cmd/sandbox

stock: ## the sandbox's round trip against the stock servers of Sigstore (Linux, unshare)
	internal/sandbox/stock/run --check

interop: ## cosign and sigstore-js verify our bundles, and we cosign's: docs/interop.md (npm, openssl)
	internal/sandbox/interop/run

demo: build sandbox ## an author and a builder attest, and every way to break it, on a Sigstore of its own
	go run ./internal/demo -signatus bin/signatus -sandbox bin/sandbox

image: ## the Action's image: its digest and sizes, which have limits (podman or docker; TWICE=--twice builds it again)
	internal/actiontest/image '$(VERSION)' $(IMAGE) $(TWICE)

action-test: build sandbox $(ACT) ## the Action in its image, as a step of workflows (podman; installs what Debian has)
	internal/actiontest/run '$(VERSION)' $(ACT) $(TESTFLAGS)

$(ACT):
	GOBIN='$(CURDIR)/.cache/bin' go install github.com/nektos/act@$(ACT_VERSION)
	mv .cache/bin/act $@

bench: build sandbox ## every benchmark, then the ratios of docs/performance.md (COSIGN=FILE adds the peer)
	go test -run '^$$' -bench '$(BENCH)' -benchmem ./...
	cd internal/intotopeer && CGO_ENABLED=0 go build -trimpath -o '$(CURDIR)/bin/in-toto' github.com/in-toto/in-toto-golang
	go run ./internal/bench -signatus bin/signatus -sandbox bin/sandbox -in-toto bin/in-toto $(if $(BENCHONLY),-only $(BENCHONLY)) $(if $(COSIGN),-cosign $(COSIGN)) $(if $(BENCHDOC),-doc $(BENCHDOC))

# The result lines of `go test -list` follow the names they belong to.
fuzz: ## every fuzz target for FUZZTIME inputs
	@set -eu; \
	list=$$(go test -list '^Fuzz' ./...); \
	targets=$$(printf '%s\n' "$$list" | awk '/^Fuzz/ { name[n++] = $$1 } /^ok/ { for (i = 0; i < n; i++) print $$2 "," name[i] } /^(ok|\?|---|FAIL)/ { n = 0 }'); \
	if [ -z "$$targets" ]; then echo 'make fuzz: no fuzz target found, expected at least one' >&2; exit 1; fi; \
	for target in $$targets; do \
		echo "fuzzing $${target#*,} in $${target%,*} for $(FUZZTIME)"; \
		go test -run '^$$' -fuzz "^$${target#*,}\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x "$${target%,*}"; \
	done

lint: $(LINT) actionlint ## gofmt, go mod tidy -diff, golangci-lint, actionlint
	@unformatted=$$(gofmt -l .) && \
	if [ -n "$$unformatted" ]; then printf 'make lint: not formatted, run gofmt -w on\n%s\n' "$$unformatted" >&2; exit 1; fi
	go mod tidy -diff
	cd internal/sandbox && go mod tidy -diff
	cd internal/intotopeer && go mod tidy -diff
	$(LINT) config verify
	$(LINT) run ./...
	cd internal/sandbox && '$(CURDIR)/$(LINT)' run -c ../../.golangci.yml ./...
	cd internal/intotopeer && '$(CURDIR)/$(LINT)' run -c ../../.golangci.yml ./...

$(LINT):
	GOBIN='$(CURDIR)/.cache/bin' go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)
	mv .cache/bin/golangci-lint $@

# Those of GitHub, and those that the tests run; what is on the PATH beside it is not asked.
actionlint: $(ACTIONLINT) ## the workflows
	$(ACTIONLINT) -shellcheck= -pyflakes= .github/workflows/*.yml internal/actiontest/testdata/workflows/*.yml

$(ACTIONLINT):
	GOBIN='$(CURDIR)/.cache/bin' go install github.com/rhysd/actionlint/cmd/actionlint@$(ACTIONLINT_VERSION)
	mv .cache/bin/actionlint $@

# A room is concurrent when it or its tests import sync, sync/atomic or errgroup.
CONCURRENT := {{define "c"}}{{range .}}{{if or (eq . "sync") (eq . "sync/atomic") (eq . "golang.org/x/sync/errgroup")}}x{{end}}{{end}}{{end}}
race: ## the concurrent rooms under the race detector (needs gcc)
	@set -eu; \
	rooms=$$(go list -f '$(CONCURRENT){{.ImportPath}} {{template "c" .Imports}}{{template "c" .TestImports}}{{template "c" .XTestImports}}' ./... | awk 'NF > 1 { print $$1 }'); \
	if [ -z "$$rooms" ]; then echo 'make race: no concurrent room found, expected at least one' >&2; exit 1; fi; \
	CGO_ENABLED=1 go test -race -short -timeout 15m $$rooms

reproduce: ## linux/amd64 built twice, in different folders and homes: the same bytes
	go run ./internal/release reproduce

# make release VERSION=v1.2.3, with the Go of .go-version: docs/release.md.
release: ## dist/, the files of the release VERSION
	go run ./internal/release build -version '$(VERSION)' -output dist

# Not in .ci/run: it takes six builds, and downloads the tool for the bill of materials.
release-test: ## a release's files, for every system, as the release workflow makes them
	rm -rf .cache/release-test
	go run ./internal/release build -version v0.0.0-test -output .cache/release-test
	cd .cache/release-test && sha256sum --check --quiet SHA256SUMS

conformance: ## write docs/conformance.md: the corpus, replayed and counted
	go test -count=1 ./internal/command -run '^TestCorpus$$' -conformance-doc ../../docs/conformance.md

clean: ## remove bin/ and .cache/
	rm -rf bin .cache
