# One command each: make demo runs it, make test checks everything CI checks, make bench measures,
# make gen rebuilds what is generated and checked in.
GO ?= go
export CGO_ENABLED = 0

HAVE_NODE := $(shell command -v npm 2>/dev/null)
HAVE_CC := $(shell command -v $${CC:-gcc} 2>/dev/null || command -v cc 2>/dev/null)

.PHONY: engine engine-check jco components components-test components-check reference reference-check vendored componentiser demo build test check cross race bench bench-peers gen web web-check guests guests-check bench-guests fuzz chaos chaos-long conformance-wasm

demo: ## serve the helpdesk chat on http://127.0.0.1:8080/chat
	$(GO) run ./cmd/greentic up --demo

build: ## build bin/greentic
	$(GO) build -trimpath -ldflags='-s -w' -o bin/greentic ./cmd/greentic

# What needs a tool that is missing is skipped by name; REQUIRE_ALL=1 makes a missing tool a failure.
test: check cross reference-check guests-check ## everything CI checks; ends with the summary of go test
ifneq ($(HAVE_NODE),)
	$(MAKE) web-check engine-check bench-guests jco
else
	@echo "skip: web-check, engine-check, bench-guests and jco need npm"; test -z "$(REQUIRE_ALL)"
endif
ifneq ($(HAVE_CC),)
	$(MAKE) race
else
	@echo "skip: race needs a C compiler"; test -z "$(REQUIRE_ALL)"
endif
	$(MAKE) components-test components-check
	$(GO) test ./...

check: ## formatting and vet
	@files=$$(gofmt -l $$(git ls-files '*.go')); test -z "$$files" || { echo "gofmt: $$files"; exit 1; }
	$(GO) vet ./...

cross: ## the platforms we promise compile
	GOOS=linux GOARCH=arm64 $(GO) build -o /dev/null ./cmd/greentic
	GOOS=linux GOARCH=riscv64 $(GO) build -o /dev/null ./cmd/greentic
	GOOS=darwin GOARCH=arm64 $(GO) build -o /dev/null ./cmd/greentic
	GOOS=windows GOARCH=amd64 $(GO) build -o /dev/null ./cmd/greentic

race: ## the race detector over everything but the browser and kill tests
	CGO_ENABLED=1 $(GO) test -race -short ./...

bench: ## measure the bars; prints a table, writes bench/latest.json
ifneq ($(HAVE_NODE),)
	$(MAKE) bench-guests
endif
	$(GO) run ./bench

bench-peers: ## one durable step of Restate beside our turns, in the same minutes (needs Node and network)
	bench/peers/restate/run.sh
	$(GO) run ./bench -only turns

bench-guests: ## guests in Go and JavaScript for measurements and tests, if they are not built (needs Node)
	test -e bench/guests/out/sm.wasm || bench/guests/build.sh

gen: web engine guests components vendored reference ## rebuild everything generated

web: ## bundle the chat page into console/static (needs Node)
	cd console/web && npm ci --no-audit --no-fund --ignore-scripts --silent && npx tsc --noEmit && node build.mjs

web-check: web ## the bundle in the tree is the one the sources make
	git diff --exit-code --stat -- console/static

vendored: ## archive the SDKs for component projects, and the component that the assistant brings
	$(GO) test ./devkit/vendored -update

engine: ## bring the engine of JavaScript components (needs Node)
	build/quickjs/engine/bring.sh

engine-check: engine ## the engine in the tree is the one that is pinned
	git diff --exit-code --stat -- build/quickjs/engine

jco: ## the independent host of tests, if it is not there (needs Node)
	test -e conformance/oracle/runners/jco/node_modules || (cd conformance/oracle/runners/jco && npm ci --no-audit --no-fund --ignore-scripts --silent)

componentiser: ## rebuild the componentiser that the binary carries (needs Node)
	build/componentise/tool/build.sh

reference: ## write the pages of docs/reference that code already knows
	$(GO) test ./devkit/reference -count=1 -run ThePages -update

reference-check: reference ## the pages in the tree are the ones the code makes
	git diff --exit-code --stat -- docs/reference

guests: ## rebuild the example components
	examples/helpdesk/guests/build.sh

# What the bytes of the checked-in components depend on beside the sources.
COMPONENT_GO = go1.26.8

guests-check: ## the example components in the tree are the ones the sources make
ifeq ($(shell $(GO) env GOVERSION),$(COMPONENT_GO))
	$(MAKE) guests
	git diff --exit-code --stat -- examples/helpdesk/pack
else
	@echo "skip: guests-check needs $(COMPONENT_GO)"; test -z "$(REQUIRE_ALL)"
endif

components: ## rebuild the component library
	$(GO) build -o bin/greentic ./cmd/greentic
	for m in components/*/component.manifest.json; do bin/greentic component build "$${m%/*}" || exit 1; done

components-test: ## the modules of guests: the SDK and the component library
	cd sdk/go && $(GO) vet ./... && $(GO) test ./...
	cd components && $(GO) vet ./... && $(GO) test ./...

components-check: ## the components in the tree are the ones the sources make
ifeq ($(shell $(GO) env GOVERSION),$(COMPONENT_GO))
	$(MAKE) components
	git diff --exit-code --stat -- components
else
	@echo "skip: components-check needs $(COMPONENT_GO)"; test -z "$(REQUIRE_ALL)"
endif

FUZZTIME ?= 60s
fuzz: ## every fuzz target for FUZZTIME, one after the other
	@for pkg in $$($(GO) list -f "{{.Dir}}" ./...); do ls $$pkg/*_test.go >/dev/null 2>&1 || continue; \
	  for f in $$(grep -ho '^func Fuzz[A-Za-z0-9]*' $$pkg/*_test.go | cut -c6-); do \
	    echo "$$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f\$$" -fuzztime $(FUZZTIME) $$pkg || exit 1; \
	  done; \
	done

# SEED=… repeats the input and the kills of a run, not how the processes interleave (decisions 50).
DURATION ?= 120s
KILLS ?= 30
chaos: ## kill -9 under load: SQLite, then two runners on PostgreSQL and on Redis; DURATION in all, KILLS or more each
	DURATION=$(DURATION) KILLS=$(KILLS) $(GO) test ./system/systemtest -count=1 -timeout 0 -v -run 'KillNine'

chaos-long: ## the same with 5 000 kills of each (hours); KILLS=… for fewer
	$(MAKE) chaos KILLS=$(if $(filter command line,$(origin KILLS)),$(KILLS),5000)

SEED ?= 1
COUNT ?= 2000
conformance-wasm: ## COUNT generated component calls from SEED on, here and under jco, and Wasmtime where python3 has it (needs Node)
	cd conformance/oracle/runners/jco && npm ci --no-audit --no-fund --ignore-scripts --silent
	@if python3 -c 'import wasmtime.component' 2>/dev/null; then w='-oracle.wasmtime python3'; else echo "skip: Wasmtime, python3 does not have it"; fi; \
	$(GO) test ./conformance/oracle -count=1 -timeout 0 -v -run 'OtherImplementations' -oracle.seed $(SEED) -oracle.count $(COUNT) -oracle.jco runners/jco $$w
