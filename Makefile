# Everything this project does, by name. `make` alone prints this list.

BIN     := bin
VERSION := $(shell git describe --always --dirty 2>/dev/null || echo unversioned)
LDFLAGS := -s -w -X main.version=$(VERSION)
STATIC  := CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)'
# On the terminal only the codec is compiled with inlining, which every byte of a message goes through. The time of all else goes
# to the disk, the line and the people, and it is a megabyte less.
LEAN    := -gcflags=all=-l -gcflags=posagent/link/iso8583=
TOOLS   := posagent acquirersim devicesim hil

# DESIGN budget: the stripped ARMv7 binary. A generic function is compiled once for each shape of its types: slices.SortFunc of
# one more struct is 13 KB there, sort.Slice is there already.
ARM_BUDGET := 8388608

QEMU        := qemu-arm-static
STATICCHECK := go run honnef.co/go/tools/cmd/staticcheck@v0.8.2

# Each fuzz target runs this often in `make test`, and as long as you like in `make fuzz FUZZTIME=10m`. It is a count and
# not a time there, because go test may report the end of a time as a failure.
FUZZTIME := 15000x
FUZZDIRS := .

# What reads a wire or a disk in the terminal itself; `make fuzz` takes the simulators' parsers too.
PARSERS  := txnstore link/iso8583 link/frame_test.go link/acquirer link/profile link/modem device/reader device/pinpad device/scanner device/capture device/serial printer/answers_test.go printer/starear_test.go

.PHONY: help
help: ## print the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' Makefile

.PHONY: build
build: ## build the terminal, the simulators and the bench into bin/
	@mkdir -p $(BIN)
	@CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o $(BIN)/ $(TOOLS:%=./cmd/%)

.PHONY: run
run: build ## four sales on simulators, the slips, and both sides' books
	@$(BIN)/hil desk

.PHONY: test
test: build ## unit and process tests with the race detector, then each fuzz target for a moment
	go vet ./...
	go test -race -timeout 3600s ./...
	@$(MAKE) --no-print-directory fuzz FUZZDIRS='$(PARSERS)'

.PHONY: fuzz
fuzz: ## fuzz every parser for FUZZTIME each
	@grep -roE --include='*_test.go' '^func Fuzz[A-Za-z0-9]+' $(FUZZDIRS) | sed -E 's|/[^/]+:func | |; s|^([^.])|./\1|' | sort -u | while read -r dir target; do \
		printf '%-36s ' "$$dir $$target"; \
		out=$$(go test -run '^$$' -fuzzminimizetime 10x -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) "$$dir" 2>&1) || { echo "$$out"; exit 1; }; \
		echo "$$out" | grep -oE 'execs: [0-9]+' | tail -n 1; \
	done

.PHONY: lint
lint: ## gofmt, go vet and staticcheck
	@test -z "$$(gofmt -l .)" || { echo "not gofmt'd:"; gofmt -l .; exit 1; }
	go vet ./...
	$(STATICCHECK) ./...

.PHONY: boards
boards: ## the terminal for ARMv7 and ARM64, as it ships
	@mkdir -p $(BIN)/armv7 $(BIN)/arm64
	@GOARCH=arm GOARM=7 CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS) -R 4096' $(LEAN) -o $(BIN)/armv7/ ./cmd/posagent # pages of 32-bit ARM are 4 KiB
	@GOARCH=arm64 $(STATIC) $(LEAN) -o $(BIN)/arm64/ ./cmd/posagent

.PHONY: arm
arm: qemu boards ## ARMv7 and ARM64 binaries within the size budget, vet, the tests as ARM, and torn messages with the ARM binary
	@for f in $(BIN)/armv7/posagent $(BIN)/arm64/posagent; do \
		size=$$(stat -c %s $$f); printf '%-22s %9d bytes of %d\n' $$f $$size $(ARM_BUDGET); \
		test $$size -le $(ARM_BUDGET) || { echo "over the budget"; exit 1; }; \
		! readelf -l $$f | grep -q INTERP || { echo "$$f is not static"; exit 1; }; \
	done
	GOARCH=arm GOARM=7 go vet ./...
	GOARCH=arm64 go vet ./...
	EMULATOR=$(QEMU) CGO_ENABLED=0 GOARCH=arm GOARM=7 go test -timeout 3600s -exec $(QEMU) $$(go list ./... | grep -v /cmd/hil)
	EMULATOR=$(QEMU) go test -timeout 3600s -run Torn ./cmd/hil

.PHONY: qemu
qemu:
	@command -v $(QEMU) >/dev/null || { apt-get update -q && apt-get install -qy --no-install-recommends qemu-user-static; }

.PHONY: bench
bench: build ## the budgets, measured, as ratios where a clock is involved, and the store beside others
	-@cd cmd/hil/sqlite && go vet . && $(STATIC) -o ../../../$(BIN)/hil-sqlite .
	@$(BIN)/hil bench

# How many crash states `make crash` examines at least; 100000 take a minute or two.
STATES := 1000000

.PHONY: crash
crash: build ## what a power cut may leave of the store's files: STATES states, opened and held against what was promised
	@$(BIN)/hil crash -states $(STATES)

# How many abrupt shutdowns `make shutdown` makes at least; 1000 take a few minutes. It needs root, loop devices and
# mkfs.ext4 (e2fsprogs), and mkfs.xfs (xfsprogs) for a part; where a machine has them not, hil says so and exits with 77.
CUTS := 1000

.PHONY: shutdown
shutdown: build ## the store at work on ext4 and xfs while they are shut down abruptly, CUTS times (root)
	@$(BIN)/hil shutdown -cuts $(CUTS)

.PHONY: full
full: build ## what still finishes on a full tmpfs and a full ext4, counted (root)
	@$(BIN)/hil full

# Sales that `make sim` makes in random worlds; `make sim SEED=n` replays one world with its trace and shortens its story.
SALES := 1000000
SEED  :=

.PHONY: sim
sim: ## a million sales with every fault and power cut, in virtual time, and both sides' books compared
	@mkdir -p $(BIN)
	@go test -c -o $(BIN)/sim.test ./firmware/simrig
	@cd firmware/simrig && $(if $(SEED),GOMAXPROCS=1 GODEBUG=asyncpreemptoff=1 ../../$(BIN)/sim.test -test.run '^TestReplay$$' -seed $(SEED),../../$(BIN)/sim.test -test.timeout 0 -test.run '^TestCampaign$$' -sales $(SALES))

# `make cuts` cuts each story at so many bytes of each wire and at eight times as many commits of each kind, which is nearly all;
# BYTES=all takes every step there is, and hours.
BYTES := 2

.PHONY: cuts
cuts: ## every story once more for each moment at which the power can fail in it
	@out=$$(CUTS=$(BYTES) go test -count=1 -timeout 0 -run EveryCut -v ./firmware/scenario 2>&1) || { echo "$$out" | grep -v '^=== '; exit 1; }; \
		echo "$$out" | grep -oE '[0-9]+ cuts, .*|^ok.*'

# How many damaged images `make damage` examines at least; 10000 take less than a minute.
IMAGES := 100000

.PHONY: damage
damage: build ## what the store makes of damaged files and of flushes that did not happen: IMAGES images, each started on
	@$(BIN)/hil damage -images $(IMAGES)

.PHONY: clean
clean: ## remove what was built and what the bench left
	rm -rf $(BIN) run
