# Millrace. `make` alone lists the targets.
.DEFAULT_GOAL := help
SHELL := /bin/bash

GO ?= go
# Git may be absent or refuse a checkout that belongs to somebody else; the version comes from `make build VERSION=...`.
export GOFLAGS := -buildvcs=false
VERSION ?= dev
# Both stay empty where git has no answer, and the binary then says unknown.
COMMIT ?= $(shell git describe --always --abbrev=40 --dirty --exclude='*' 2>/dev/null)
DATE ?= $(shell TZ=UTC0 git show -s --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd 2>/dev/null)
TOOL := $(GO) tool -modfile=tools/go.mod
DATA_DIR ?= .millrace
LIBRARY_DIR ?= $(CURDIR)/.millrace/lib
FUZZTIME ?= 30s
IDS ?= 1000000
ARGS ?=

# Every target that `make help` lists is one.
.PHONY: $(shell awk -F: '/^[a-z-]+:.*\#\# /{print $$1}' $(firstword $(MAKEFILE_LIST)))

help: ## list the targets
	@awk -F':.*## ' '/^[a-z-]+:.*## /{printf "  make %-24s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: build ## start the whole pipeline, embedded; ARGS="--log-level=debug" passes flags
	./bin/millrace dev --data-dir=$(DATA_DIR) $(ARGS)

# TAGS=static builds one without the embedded ClickHouse, whose library needs a dynamic linker: for images without one.
TAGS ?=

build: ## build bin/millrace; TAGS=static one that needs nothing on the machine, and has no embedded ClickHouse
	CGO_ENABLED=0 $(GO) build -trimpath -tags='$(TAGS)' -ldflags='-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT) -X main.date=$(DATE)' -o bin/millrace ./cmd/millrace

image: ## build the container image millrace:VERSION
	docker build -f deploy/Dockerfile --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) --build-arg DATE=$(DATE) -t millrace:$(VERSION) .

release: ## write archives for all platforms, SBOMs and checksums into dist/: of the tag that is checked out, or of the working tree as it is
	cd deploy/release && $(GO) run .

# Archives of this platform are also run; what is for others is vetted, and looked at as far as that goes.
release-check: release library ## hold dist/ against the tree, make it once more and compare the bytes; vet the code for the other platforms
	cd deploy/release && $(GO) test ./... && $(GO) run . -check -library-dir=$(LIBRARY_DIR)
	@for platform in linux/arm64 darwin/arm64; do \
		echo "go vet for $$platform"; \
		CGO_ENABLED=0 GOOS=$${platform%/*} GOARCH=$${platform#*/} $(GO) vet -trimpath ./... || exit 1; \
	done

manifests: ## write deploy/kubernetes from the chart in deploy/helm
	cd deploy/check && $(GO) run . -write

# A container engine is not everywhere, so this is not in CI.
compose-test: build library ## run docker-compose.yml for real, with stand-ins for images that cannot be pulled; ports from PORT_BASE=28000 on
	LIBRARY_DIR=$(LIBRARY_DIR) rig/compose/test

test: build library chromium ## run every test, with the race detector; ARGS="-run Name" passes flags
	MILLRACE_BINARY=$(CURDIR)/bin/millrace MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) \
		$(GO) test -race -shuffle=on -timeout=15m $(ARGS) $$($(GO) list ./... | grep -vE '/e2e/(faults|netcut|upgrade)$$')

# The packages that reach a broker; the others would only run a second time.
KAFKA_PACKAGES := ./kafka ./catalog/... ./ingest ./processor ./dispatcher ./eventlog/... ./replay ./api ./cmd/millrace ./e2e ./e2e/security

test-kafka: build library chromium ## run the tests that reach a broker on Apache Kafka (JDK 17, Maven); ARGS="-run Name" passes flags
	@trap 'deploy/kafka/kafka down' EXIT; deploy/kafka/kafka restart && \
		MILLRACE_TEST_ON=apache MILLRACE_BINARY=$(CURDIR)/bin/millrace MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) \
		$(GO) test -race -shuffle=on -timeout=15m $(ARGS) $(KAFKA_PACKAGES)

test-alerts: ## check that alerts and dashboard ask for metrics that exist, and that each alert has a runbook
	$(GO) test -C deploy/prometheus/check ./...

# P=P07 is the tests of one promise; without it all run. Each lasts about as long as the fault.
P ?= P
FAULT_DURATION ?= 10s

fault: build library ## do to a pipeline on Apache Kafka what RELIABILITY.md lists, and judge it: P=P07 of one promise, FAULT_DURATION=10s
	@trap 'deploy/kafka/kafka down' EXIT; deploy/kafka/kafka restart && \
		MILLRACE_TEST_ON=apache MILLRACE_BINARY=$(CURDIR)/bin/millrace MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) MILLRACE_FAULT_DURATION=$(FAULT_DURATION) \
		$(GO) test -count=1 -v -timeout=0 $(ARGS) -run='^Test$(P)' ./e2e/faults

NETCUT_DURATION ?= 30s

netcut: build library ## cut the network between two hosts, which are network namespaces (Linux, as root), for NETCUT_DURATION=30s a test
	@sudo=; test "$$(id -u)" = 0 || sudo=sudo; \
	command -v ip >/dev/null || { $$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends iproute2; }
	deploy/kafka/kafka fetch
	$(GO) test -c -o bin/netcut.test ./e2e/netcut
	@sudo=; test "$$(id -u)" = 0 || sudo="sudo -E env PATH=$$PATH"; \
	cd e2e/netcut && MILLRACE_BINARY=$(CURDIR)/bin/millrace MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) MILLRACE_FAULT_DURATION=$(NETCUT_DURATION) \
		$$sudo unshare --net --mount $(CURDIR)/bin/netcut.test -test.v -test.timeout=0 $(ARGS)

# The last release: its commit, or its tag once there are tags.
PREVIOUS ?= 5658cc6e098439b399eda579c52f5de1d9560c7e
UPGRADE_TEST = MILLRACE_TEST_ON=apache MILLRACE_BINARY=$(CURDIR)/bin/millrace MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) $(GO) test -count=1 -v -timeout=15m $(ARGS)

upgrade-test: build library ## replace the processes of PREVIOUS=<git ref> by this version's and back, under load on Apache Kafka; then skip a release
	@trap 'deploy/kafka/kafka down' EXIT; \
		previous=$$(e2e/upgrade/build previous '$(PREVIOUS)') && ahead=$$(e2e/upgrade/build ahead .millrace/ahead) && deploy/kafka/kafka restart && \
		MILLRACE_PREVIOUS_BINARY=$$previous $(UPGRADE_TEST) -run=SideBySide ./e2e/upgrade && \
		MILLRACE_AHEAD_BINARY=$$ahead $(UPGRADE_TEST) -overlay=.millrace/ahead/reader.json -run=TooFarAhead ./e2e/upgrade

# The broker's image and a container engine are not everywhere, so this is not in CI.
test-containers: build library chromium ## the same in a container (Docker or Podman, the image apache/kafka)
	@$(GO) build -C rig/containers -o $(CURDIR)/bin/containers . && \
		MILLRACE_BINARY=$(CURDIR)/bin/millrace MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) \
		./bin/containers $(GO) test -race -shuffle=on -timeout=15m $(ARGS) $(KAFKA_PACKAGES)

kafka-up: ## start Apache Kafka on 127.0.0.1:19092 (KAFKA_PORT), fetched once through Maven
	@deploy/kafka/kafka up

kafka-down: ## stop it
	@deploy/kafka/kafka down

# Pages are tested in a real browser. MILLRACE_CHROMIUM names one that is elsewhere.
SCREENSHOTS ?= $(CURDIR)/.millrace/screenshots

chromium: ## install Chromium for the tests of the console where there is none, with apt-get
	@for name in $(if $(MILLRACE_CHROMIUM),$(MILLRACE_CHROMIUM),chromium chromium-browser google-chrome); do \
		command -v $$name >/dev/null && exit 0; \
	done; \
	sudo=; test "$$(id -u)" = 0 || sudo=sudo; \
	$$sudo apt-get update -qq && $$sudo apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core

screenshots: chromium ## look at every page of the console in light, dark and narrow; pictures in SCREENSHOTS=.millrace/screenshots
	MILLRACE_SCREENSHOTS=$(SCREENSHOTS) $(GO) test -count=1 -run=Looks ./console

library: build ## fetch the pinned ClickHouse engine library, once
	./bin/millrace library --library-dir=$(LIBRARY_DIR)

lint: ## golangci-lint and gofumpt, pinned in tools/go.mod; the Helm chart, and that the plain manifests are what it renders
	$(TOOL) golangci-lint run ./...
	cd deploy/prometheus/check && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run ./... && $(GO) mod tidy -diff
	cd rig/containers && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run ./... && $(GO) mod tidy -diff
	cd deploy/check && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run ./... && $(GO) mod tidy -diff && $(GO) run .
	cd deploy/release && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run ./... && $(GO) mod tidy -diff
	cd bench/peers/benthos && $(GO) tool -modfile=$(CURDIR)/tools/go.mod golangci-lint run ./... && $(GO) mod tidy -diff
	@unformatted=$$($(TOOL) gofumpt -l .); test -z "$$unformatted" || { echo "not formatted (make fmt):"; echo "$$unformatted"; exit 1; }
	$(GO) mod tidy -diff

fmt: ## format the code
	$(TOOL) gofumpt -w .

fuzz: ## fuzz every parser of outside bytes for FUZZTIME each (30s)
	@for target in $$(grep -rlE '^func Fuzz' --include='*_test.go' . ); do \
		for name in $$(grep -oE '^func Fuzz[A-Za-z]+' $$target | cut -c6-); do \
			$(GO) test -run='^$$' -fuzz="^$$name$$" -fuzztime=$(FUZZTIME) ./$$(dirname $$target) || exit 1; \
		done; \
	done

bench: ## all comparisons in one table and in bench/RESULTS.md, on Apache Kafka (JDK 17, Maven); ARGS="-only=processor,pipeline", -quick, -rows=100000000
	$(GO) run ./bench/report $(ARGS)

bench-code: ## the benchmarks beside the code
	$(GO) test -run='^$$' -bench=. -benchmem ./...

bench-post: ## put an endpoint under load: ARGS="-endpoint=http://127.0.0.1:8080/v1/receive/KEY -rate=2000 -for=30s -duplicates=0.1", or ARGS=-help
	$(GO) run ./bench/post $(ARGS)

bench-ingest: benthos ## ingest beside a bare server, a prototype and a peer, in turn; ARGS="-kafka=127.0.0.1:19092" on the running Apache Kafka
	$(GO) run ./bench/ingest $(ARGS)

BENTHOS := .millrace/peers/benthos/benthos

benthos: $(BENTHOS)

$(BENTHOS): $(shell find bench/peers/benthos -type f)
	$(GO) build -C bench/peers/benthos -trimpath -o $(CURDIR)/$@ .

# Both take the running Kafka: KAFKA_PORT says which, and `make kafka-up` starts it.
bench-processor: build streams ## the processor beside a bare loop and Kafka Streams on the running Apache Kafka, in turn (JDK 17, Maven); ARGS="-embedded -only=millrace"
	$(GO) run ./bench/processor $(ARGS)

bench-processor-latency: build ## what exactly_once adds to an event's way to its decision, on the running Apache Kafka; ARGS=-embedded
	$(GO) run ./bench/processor -latency $(ARGS)

# Built again only when a source has changed since: Maven takes seconds to find that out.
STREAMS := .millrace/peers/streams/streams-1.jar

streams: $(STREAMS)

$(STREAMS): $(shell find bench/peers/streams -type f)
	mvn -B -q -Dstyle.color=never -f bench/peers/streams/pom.xml package dependency:copy-dependencies
	@touch $@

EVENTS ?= 600000

bench-replay: library ## replays of EVENTS=600000 events from the topic and from ClickHouse, both embedded
	MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) $(GO) test -run='^$$' -bench=Replay -benchtime=$(EVENTS)x ./replay

bench-dedup: ## the dedup index at IDS=1000000 message IDs: time, pauses, memory, disk
	$(GO) run ./bench/dedup -ids=$(IDS) $(ARGS)

ROWS ?= 1000000

bench-query: library ## fill the event log with ROWS=1000000 events and time the questions people ask; ARGS="-dir=DIR" keeps what is filled
	$(GO) run ./bench/query -rows=$(ROWS) -library-dir=$(LIBRARY_DIR) $(ARGS)

bench-pages: build library ## time every page of the console over ROWS=1000000 events; ARGS="-dir=DIR" keeps what is filled
	$(GO) run ./bench/pages -rows=$(ROWS) -library-dir=$(LIBRARY_DIR) $(ARGS)

# It takes the running Kafka: KAFKA_PORT says which, and `make kafka-up` starts it.
bench-pipeline: build library ## the whole pipeline, each role a process, on the running Apache Kafka; ARGS="-rates=100,1000,3000 -for=30s", -find, -embedded
	$(GO) run ./bench/pipeline -library-dir=$(LIBRARY_DIR) $(ARGS)

bench-eventlog: library ## the event log beside a bare insert, from Kafka into ClickHouse, and bytes on disk; ARGS="-events=1000000"
	MILLRACE_LIBRARY_DIR=$(LIBRARY_DIR) $(GO) run ./bench/eventlog $(ARGS)

seed: build ## post the 600 sample events to the demo source of a running `make run`
	./bin/millrace send --file=schemas/testdata/track-events.ndjson $(ARGS)

clean: ## remove what was built, and the data of `make run`
	rm -rf bin dist $(DATA_DIR)
