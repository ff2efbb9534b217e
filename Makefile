# rig's workshop. `make help` lists the targets. Everything builds with -tags gms_pure_go: without it the embedded engine
# wants cgo and ICU.
TAGS := gms_pure_go
GO ?= go
BIN ?= rig
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
TOOL := $(GO) tool -modfile=testdata/tools/go.mod
PKGS := ./... ./testdata/bench ./testdata/summary

.PHONY: help build test race lint fuzz bench soak profile gen clean parts

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

build: ## one static binary: ./rig
	CGO_ENABLED=0 $(GO) build -trimpath -tags $(TAGS) -pgo=testdata/rig.pgo -ldflags "-s -w -X main.version=$(VERSION)" -o $(BIN) ./cmd/rig

parts: ## install what the tests need (MariaDB) where that is possible
	@sh testdata/parts.sh

test: parts lint ## everything that CI runs
	@sh testdata/test.sh $(TAGS)

race: parts ## the tests of every package with goroutines of its own, under the race detector
	CGO_ENABLED=1 $(GO) test -race -tags $(TAGS) -timeout 20m ./runtime/... ./builtins/...

lint: ## gofumpt, go vet and staticcheck, without waivers
	@out=$$($(TOOL) gofumpt -l $(wildcard cmd runtime builtins stdlib scripts testdata)); test -z "$$out" || { echo "gofumpt would change:"; echo "$$out"; exit 1; }
	$(GO) vet -tags $(TAGS) $(PKGS)
	$(TOOL) staticcheck -tags $(TAGS) $(PKGS)

fuzz: ## each fuzz target for 20 seconds
	@sh testdata/fuzz.sh $(TAGS)

bench: build parts ## the figures: rig beside the bare driver, from one run
	$(GO) run -tags $(TAGS) ./testdata/bench -rig ./$(BIN)

soak: build parts ## what takes long: many repeats, kills, large results
	RIG_SOAK=1 $(GO) test -tags $(TAGS) -timeout 60m -count=1 -run 'Soak' ./...

profile: parts ## take testdata/rig.pgo again: where rig spends its time, for the compiler (a tenth less CPU for a statement)
	$(GO) test -tags $(TAGS) -run '^$$' -bench 'PointScript8|ReplayScript|StreamScript' -benchtime 400000x -cpuprofile testdata/rig.pgo -o /dev/null ./testdata/bench

gen: ## write the generated reference pages and goldens again
	$(GO) run -tags $(TAGS) ./cmd/rig doc --out docs/reference.md
	$(GO) run -tags $(TAGS) ./cmd/rig doc --format pyi --out docs/rig.pyi
	$(GO) test -tags $(TAGS) ./runtime/report ./runtime/config -update

clean: ## remove what the other targets made
	rm -rf $(BIN) .rig coverage.out
