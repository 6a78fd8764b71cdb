# alicloud-dr. `make help` lists what can be asked for.

BUILD   ?= build
PREFIX  ?= /usr/local
DESTDIR ?=
OS      := $(shell uname -s)

# The environment, the command line and LuaRocks may replace every variable of this block.
CFLAGS       ?= -O2 -g
LUA          ?= $(shell .ci/lua)
PKG_CONFIG   ?= $(shell command -v pkg-config || command -v pkgconf)
LUAROCKS     ?= luarocks
CLANG_FORMAT ?= clang-format
LUADIR       ?= $(PREFIX)/share/lua/$(LUA_VERSION)
LIBDIR       ?= $(PREFIX)/lib/lua/$(LUA_VERSION)
BINDIR       ?= $(PREFIX)/bin
MANDIR       ?= $(PREFIX)/share/man
BASHDIR      ?= $(PREFIX)/share/bash-completion/completions
ZSHDIR       ?= $(PREFIX)/share/zsh/site-functions
FISHDIR      ?= $(PREFIX)/share/fish/vendor_completions.d
# What was installed is listed here; empty where a packager's tool keeps a list of its own.
MANIFEST     ?= $(PREFIX)/share/alicloud-dr/manifest
# With anything here the command finds the modules from its own place in a LuaRocks tree.
RELOCATABLE  ?=
ifeq ($(OS),Darwin)
LIBFLAG      ?= -bundle -undefined dynamic_lookup
else
LIBFLAG      ?= -shared
endif

# What is built from what.

sources   = $(patsubst src/%.c,%,$(wildcard $(addprefix src/,$(addsuffix /*.c,$(1)))))
CORE      := $(call sources,common core)
TRANSPORT := $(call sources,common transport)
HTTPD     := $(call sources,common httpd)
CONFINE   := $(call sources,common confine)

# The stages of a call: what knows no Lua.
STAGES    := $(filter-out core/lua_% core/core core/value% common/luax,$(CORE))

# pkg-config where there is one and it knows the module, else the usual places.
pc = $(if $(PKG_CONFIG),$(shell for m in $(2); do \
       $(PKG_CONFIG) --exists $$m 2>/dev/null && exec $(PKG_CONFIG) $(1) $$m; done))
accepts = $(shell $(CC) -Werror $(1) -x c -c /dev/null -o /dev/null 2>/dev/null && echo "$(1)")

# Headers and library are those of the interpreter, 5.4 or 5.5, by any of the names that systems use.
LUA_VERSION = $(eval LUA_VERSION := $(or $(filter 5.4 5.5,$(shell "$(LUA)" -e \
  'print((_VERSION:gsub("Lua ", "")))' 2>/dev/null)),5.4))$(LUA_VERSION)
LUA_NAMES   = lua$(LUA_VERSION) lua-$(LUA_VERSION) lua$(subst .,,$(LUA_VERSION)) lua
LUA_INCDIR ?= $(patsubst %/lua.h,%,$(firstword $(wildcard $(addsuffix /lua.h, \
  $(patsubst -I%,%,$(call pc,--cflags-only-I,$(LUA_NAMES))) $(foreach place,/usr/include \
  /usr/local/include /opt/homebrew/include,$(addprefix $(place)/,$(LUA_NAMES)) $(place))))))

INCLUDES  = $(addprefix -I,$(LUA_INCDIR)) $(sort $(call pc,--cflags,libcurl) \
            $(call pc,--cflags,libcrypto) $(call pc,--cflags,libmicrohttpd) \
            $(call pc,--cflags,libseccomp))
CJSON_LIB = $(or $(call pc,--libs,libcjson),-lcjson)
CRYPTO_LIB = $(or $(call pc,--libs,libcrypto),-lcrypto)
CURL_LIB  = $(or $(call pc,--libs,libcurl),-lcurl)
MHD_LIB   = $(or $(call pc,--libs,libmicrohttpd),-lmicrohttpd)
SECCOMP_LIB = $(if $(HAVE_SECCOMP),$(or $(call pc,--libs,libseccomp),-lseccomp))

WARN    := -Wall -Wextra -Wshadow -Wvla -Wstrict-prototypes -Wpointer-arith
HARDEN  ?= $(call accepts,-fstack-protector-strong) -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=2
ifneq ($(OS),Darwin)
HARDEN_LINK ?= -Wl,-z,relro,-z,now
endif

COMPILE = $(CC) -std=c11 -fPIC -fvisibility=hidden $(WARN) $(HARDEN_FLAGS) $(INCLUDE_FLAGS) \
          -Isrc/common $(FOUND) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
LINK    = $(CC) $(CFLAGS) $(LIBFLAG) $(HARDEN_LINK) $(LDFLAGS) -o $@ $^

objects  = $(addprefix $(BUILD)/obj/,$(addsuffix .o,$(1)))
MODULE  := $(BUILD)/alicloud

# The compiler and pkg-config are asked once for each run, and not at all by `make help`.
HARDEN_FLAGS  = $(eval HARDEN_FLAGS := $(HARDEN))$(HARDEN_FLAGS)
INCLUDE_FLAGS = $(eval INCLUDE_FLAGS := $(INCLUDES))$(INCLUDE_FLAGS)

# USE_HTTPD=no leaves the emulator's socket out, USE_SECCOMP=no the list of system calls of a
# confined process; `auto` does when the header is missing.
USE_HTTPD   ?= auto
USE_SECCOMP ?= auto
wanted = $(if $(filter auto,$(1)),$(shell echo '\#include <$(2)>' | \
  $(CC) $(CPPFLAGS) $(INCLUDE_FLAGS) -E - >/dev/null 2>&1 && echo yes),$(filter yes,$(1)))
HAVE_HTTPD   = $(call wanted,$(USE_HTTPD),microhttpd.h)
HAVE_SECCOMP = $(eval HAVE_SECCOMP := $(call wanted,$(USE_SECCOMP),seccomp.h))$(HAVE_SECCOMP)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
SETUPS   := setup $(addprefix setup-,cluster test days check model hosts interop bench deb \
            images systems portable)
.PHONY: all httpd programs help $(SETUPS) demo cluster test days check fuzz coverage model hosts \
        explore mutants interrupts kills nemesis takeovers interop systems portable deb deb-trial \
        image image-trial completions man types env install uninstall dist rock bench soak stress \
        clean FORCE

## all: build the C modules and the command into build/
all: $(MODULE)/core.so $(MODULE)/transport.so $(MODULE)/confine.so httpd $(BUILD)/bin/alicloud-dr

$(MODULE)/core.so: $(call objects,$(CORE)) | $(MODULE)
	$(LINK) $(CRYPTO_LIB) $(CJSON_LIB) -lm

$(MODULE)/transport.so: $(call objects,$(TRANSPORT)) | $(MODULE)
	$(LINK) $(CURL_LIB) -lm

$(MODULE)/confine.so: $(call objects,$(CONFINE)) | $(MODULE)
	$(LINK) $(SECCOMP_LIB) -lm

$(MODULE)/httpd.so: $(call objects,$(HTTPD)) | $(MODULE)
	$(LINK) $(MHD_LIB) -lm

# After the others, because it is a make of its own that shares objects with them.
httpd: $(MODULE)/core.so $(MODULE)/transport.so $(MODULE)/confine.so
	@if [ -n "$(HAVE_HTTPD)" ]; then $(MAKE) --no-print-directory $(MODULE)/httpd.so; else \
	  rm -f $(MODULE)/httpd.so; \
	  echo "httpd.so left out: it needs <microhttpd.h>, and only the emulator's socket needs it" >&2; fi

$(BUILD)/obj/confine/seccomp.o: FOUND = -DAC_HAVE_SECCOMP=$(if $(HAVE_SECCOMP),1,0)
$(BUILD)/obj/common/build.o: FOUND = -DAC_BUILD='"$(shell cat $(BUILD)/obj/build.word)"'
$(BUILD)/obj/common/build.o: $(BUILD)/obj/build.word
$(BUILD)/obj/%.o: src/%.c $(BUILD)/obj/lua_version
	@mkdir -p $(@D)
	$(COMPILE)

# By this word the C modules, and the Lua files that are installed with them, know each other.
$(BUILD)/obj/build.word: $(sort $(wildcard src/*/*))
	@mkdir -p $(@D)
	@echo "$$(sed -n 's/^#define AC_VERSION "\(.*\)"$$/\1/p' src/common/ac.h)-$$(cat $^ | cksum | \
	  cut -d' ' -f1)" >$@

# With another Lua everything is compiled anew.
$(BUILD)/obj/lua_version: FORCE
	@mkdir -p $(@D)
	@echo "$(LUA_VERSION)" | cmp -s - $@ || echo "$(LUA_VERSION)" >$@

$(BUILD)/spec $(BUILD)/bin $(MODULE):
	@mkdir -p $@

-include $(wildcard $(BUILD)/obj/*/*.d)

# Paths from the root. One may have blanks in it, which make takes for the ends of words.
blank      := $(subst x,,x x)
rooted      = $(subst :blank:,$(blank),$(abspath $(subst $(blank),:blank:,$(1))))
INTERPRETER = $(call rooted,$(shell command -v "$(LUA)"))

$(BUILD)/bin/alicloud-dr: Makefile .ci/launcher $(BUILD)/obj/lua_version | $(BUILD)/bin
	@.ci/launcher "$(INTERPRETER)" "$(CURDIR)/lua" "$(abspath $(BUILD))" >$@ && chmod 755 $@

# What only the specs use: a module of process tricks, and C hosts.
links     = $(shell echo 'int main(void) { return 0; }' | \
            $(CC) -x c - $(1) -o /dev/null 2>/dev/null && echo "$(1)")
LUA_LIB   = $(or $(call pc,--libs,$(LUA_NAMES)),$(firstword \
            $(foreach name,$(LUA_NAMES),$(call links,-l$(name)))))
SWEPT     = $(sort $(CORE) $(TRANSPORT))
WRAP     := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
PROGRAM   = $(CC) -std=c11 $(WARN) $(INCLUDE_FLAGS) \
            $(addprefix -Isrc/,common core transport) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@

GUESTS    = $(addprefix $(BUILD)/spec/,posix.so slow_dns.so bad_system.so paused_send.so)

# Each of some stages, and of nothing that knows Lua.
C_TESTS   = stages_test texts_test answers_test

programs: $(GUESTS) $(addprefix $(BUILD)/spec/,$(C_TESTS) trust_test reload_test alloc_sweep threads \
          fuzz)

$(GUESTS): $(BUILD)/spec/%.so: spec/c/%.c | $(BUILD)/spec
	$(PROGRAM) -fPIC $(LIBFLAG) $<

$(addprefix $(BUILD)/spec/,$(C_TESTS)): $(BUILD)/spec/%: spec/c/%.c \
  $(call objects,$(STAGES)) | $(BUILD)/spec
	$(PROGRAM) $^ $(CRYPTO_LIB) $(CJSON_LIB) -lm

$(BUILD)/spec/trust_test: spec/c/trust_test.c $(call objects,transport/trust) | $(BUILD)/spec
	$(PROGRAM) $^

$(BUILD)/spec/reload_test: spec/c/reload_test.c | $(BUILD)/spec
	$(PROGRAM) -pthread $< $(LUA_LIB)

$(BUILD)/spec/threads: spec/hosts/threads/host.c | $(BUILD)/spec
	$(PROGRAM) -pthread $< $(LUA_LIB)

$(BUILD)/spec/alloc_sweep: $(addprefix spec/c/,alloc_sweep.c failing_memory.c) \
  $(call objects,$(SWEPT)) | $(BUILD)/spec
	$(PROGRAM) $(WRAP) $^ $(LUA_LIB) $(CURL_LIB) $(CRYPTO_LIB) $(CJSON_LIB) -lm

# With FUZZ_MAIN= the compiler's libFuzzer brings the function main.
FUZZ_MAIN ?= spec/fuzz/driver.c
FUZZED    := -fno-sanitize-recover=undefined -fsanitize=address,undefined
$(BUILD)/spec/fuzz: spec/fuzz/fuzz.c $(FUZZ_MAIN) $(call objects,$(SWEPT)) | $(BUILD)/spec
	$(PROGRAM) $^ $(LUA_LIB) $(CURL_LIB) $(CRYPTO_LIB) $(CJSON_LIB) -lm

$(BUILD)/spec/floor: $(wildcard spec/bench/floor*.c) | $(BUILD)/spec
	$(PROGRAM) $^ $(CURL_LIB) $(CRYPTO_LIB) $(CJSON_LIB) -lm

# The Go client that Debian has; GOPATH mode, for it is older than modules.
GOCODE   := /usr/share/gocode
ALIYUNGO := $(GOCODE)/src/github.com/denverdino/aliyungo

$(BUILD)/spec/aliyungo: spec/bench/aliyungo.go | $(BUILD)/spec
	GO111MODULE=off GOPATH=$(GOCODE) GOCACHE=$(abspath $(BUILD))/go go build -o $@ $<

## setup: install on Debian what build and demo need, else name it
## setup-cluster: the same for `make cluster`
## setup-test: the same for the specs
## setup-days: the same for `make days`
## setup-check: the same for `make check`
## setup-model: the same for `make model`
## setup-hosts: the same for `make hosts`
## setup-interop: the same for `make interop`
## setup-bench: the same for `make bench`
## setup-deb: the same for `make deb`
## setup-images: the same for `make image-trial`
$(SETUPS):
	@.ci/setup $(@:setup-%=%)

## demo: set up, build, and watch a disaster being recovered
demo: setup
	@eval "$$($(MAKE) --no-print-directory -s env)" && $(LUA) spec/demo/demo.lua

## cluster: watch one controller take over from another, in etcd
cluster: setup-cluster
	@$(MAKE) --no-print-directory -s all $(BUILD)/spec/posix.so
	@eval "$$($(MAKE) --no-print-directory -s env)" && $(LUA) spec/demo/cluster.lua

## test: set up, build, run every spec
test: setup-test
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/specs $(BUILD)

## days: the specs once more, 400 days ahead and in 2040
days: setup-days
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/days $(BUILD)

## check: linters, warnings as errors, sanitizers, valgrind
check: setup-check
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/check

## fuzz: SECONDS (60) of libFuzzer for each target of spec/fuzz
fuzz: setup-check
	@$(MAKE) --no-print-directory -s BUILD=build/fuzz CC=clang HARDEN= FUZZ_MAIN= \
	  CFLAGS="-O1 -g -fno-omit-frame-pointer $(FUZZED),fuzzer-no-link" \
	  LDFLAGS="$(FUZZED),fuzzer" build/fuzz/spec/fuzz
	@.ci/fuzz build/fuzz/spec/fuzz -max_total_time=$(or $(SECONDS),60)

## coverage: the core's branches that no spec takes
coverage: setup-check
	@$(MAKE) --no-print-directory -s BUILD=build/coverage CC=gcc HARDEN= LDFLAGS=--coverage \
	  CFLAGS="-O0 -g --coverage" all programs
	@.ci/coverage build/coverage

## model: controllers of one run, in spin; BOUNDS=small is shorter
model: setup-model
	@.ci/model $(or $(BOUNDS),large)

## hosts: spec/hosts in mail and web servers, Neovim, C and shells
hosts: setup-hosts
	@.ci/hosts $(BUILD)

## interop: the vendor's Node.js SDKs, and reports in Chromium
interop: setup-interop
	@$(MAKE) --no-print-directory -s all
	@.ci/browser $(BUILD)
	@.ci/interop $(BUILD)

## systems: both README commands on a bare Debian 13; sid (as root)
systems: setup-systems
	@.ci/systems $(SUITES)

## portable: clang, musl, macOS's calls; sid, Lua 5.5, i386, arm64
portable: setup-portable
	@.ci/portable $(PARTS)

# Whoever installs does this, several at a time, too: what is written anew takes the place of the
# old file by file, so that each one is there, and whole, at any time.
afresh = mkdir -p $(BUILD)/$(1) && new=$$(mktemp -d $(BUILD)/$(1).XXXXXX) && \
  trap 'rm -rf "$$new"' EXIT && \
  NEW="$$new" $(LUA) -e 'require("$(2)").write(os.getenv("NEW"), "CHANGELOG.md")' && \
  for old in $(BUILD)/$(1)/*; do [ -e "$$new/$${old\#\#*/}" ] || rm -f "$$old"; done && \
  mv -f "$$new"/* $(BUILD)/$(1)

## completions: what completes a command line in bash, zsh and fish
completions: all
	@eval "$$($(MAKE) --no-print-directory -s env)" && \
	  $(call afresh,completions,alicloud.cli.completion)

## man: manual pages of commands and of topics
man: all
	@eval "$$($(MAKE) --no-print-directory -s env)" && $(call afresh,man,alicloud.cli.man)

## types: write the declarations for editors and the topic json anew
types:
	@$(MAKE) --no-print-directory -s all
	@eval "$$($(MAKE) --no-print-directory -s env)" && \
	  LUA_PATH="./?.lua;$$LUA_PATH" $(LUA) -e \
	  'require("spec.types").write() require("spec.json_reference").write()'

## env: print exports for the shell: eval "$(make -s env)"
env:
	@$(MAKE) --no-print-directory -s all >&2
	@echo "export LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;'\"\$${LUA_PATH:-;}\""
	@echo "export LUA_CPATH='$(abspath $(BUILD))/?.so;'\"\$${LUA_CPATH:-;}\""
	@echo "export PATH='$(abspath $(BUILD))/bin':\"\$$PATH\""

## install: install below PREFIX (/usr/local), staged below DESTDIR
install: all $(if $(RELOCATABLE),,man completions)
	@env DESTDIR="$(DESTDIR)" BUILD="$(BUILD)" RELOCATABLE="$(RELOCATABLE)" \
	  LUA_VERSION="$(LUA_VERSION)" INTERPRETER="$(INTERPRETER)" \
	  $(foreach name,$(PLACES),$(name)="$(call rooted,$($(name)))") .ci/install
PLACES = LUADIR LIBDIR BINDIR MANDIR BASHDIR ZSHDIR FISHDIR MANIFEST

## uninstall: remove what `make install` has installed there
uninstall:
	@env DESTDIR="$(DESTDIR)" MANIFEST="$(call rooted,$(MANIFEST))" .ci/install remove

## deb: build the Debian packages into build/deb
deb: setup-deb
	@.ci/deb

## deb-trial: those packages in bare Debian 12 and 13 (as root)
deb-trial: setup-systems
	@.ci/deb-trial $(SUITES)

## image: build the OCI images (podman, buildah or docker)
image:
	@.ci/image

## image-trial: those, built by buildah without a registry (as root)
image-trial: setup-images
	@.ci/image-trial

## dist: an archive of the tree, and a rockspec; VERSION: a release
dist:
	@BUILD="$(BUILD)" VERSION="$(VERSION)" URL="$(URL)" .ci/dist

## rock: build the rock offline into build/rocks and use it there
rock:
	@.ci/rock

## explore: seeds (SEEDS=200000) and every trouble (EXHAUSTIVE=some)
explore:
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/explore $(BUILD) $(or $(SEEDS),200000) $(or $(EXHAUSTIVE),all)

## mutants: mistakes that one trouble shows; at least LEAST (82)
mutants:
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/mutants $(BUILD) $(or $(LEAST),82)

## interrupts: an interrupt at each instruction of the main thread
interrupts: all $(BUILD)/spec/posix.so
	@SPEC_STRIDE=1 .ci/specs $(BUILD) spec/loop/interrupt_sweep_spec.lua

## kills: runs that the kernel kills at one call in STRIDE (1)
kills: setup-check
	@$(MAKE) --no-print-directory -s all
	@.ci/kills $(BUILD) $(or $(STRIDE),1)

## nemesis: SEEDS (60) of what befalls controllers and store
nemesis: setup-test
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/nemesis $(BUILD) $(or $(SEEDS),60)

## takeovers: COUNT (1000) runs whose controller dies or stands still
takeovers: setup-test
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/nemesis $(BUILD) takeovers $(or $(COUNT),1000)

## soak: CALLS (1000000), again with cancels: no growth (nginx)
soak: setup-test
	@$(MAKE) --no-print-directory -s all $(BUILD)/spec/posix.so
	@eval "$$($(MAKE) --no-print-directory -s env)" && \
	  export LUA_PATH="./?.lua;$$LUA_PATH" && \
	  $(LUA) spec/soak/soak.lua $(or $(CALLS),1000000) && \
	  $(LUA) spec/soak/cancels.lua $(or $(CALLS),1000000)

## stress: RUNS (200) with cancels and programs, over all loops
stress: setup-test
	@$(MAKE) --no-print-directory -s all $(BUILD)/spec/posix.so
	@eval "$$($(MAKE) --no-print-directory -s env)" && \
	  export LUA_PATH="./?.lua;$$LUA_PATH" && status=0 && \
	  for loop in blocking task select cqueues luv; do \
	    $(LUA) spec/soak/stress.lua $$(($(or $(RUNS),200) / 5)) $$loop || status=1; done; exit $$status

## bench: ROUNDS (7) beside C, the vendor's SDKs, others and BESIDE
bench: setup-bench
	@$(MAKE) --no-print-directory -s all $(BUILD)/spec/posix.so $(BUILD)/spec/floor \
	  $(if $(wildcard $(ALIYUNGO)),$(BUILD)/spec/aliyungo)
	@CI= .ci/interop $(BUILD) fetch
	@eval "$$($(MAKE) --no-print-directory -s env)" && $(LUA) spec/bench/bench.lua $(BUILD) \
	  $(or $(ROUNDS),7); status=$$?; echo; \
	  $(LUA) spec/bench/figures.lua $(or $(ROUNDS),7) $(BESIDE) || status=1; echo; \
	  $(LUA) spec/bench/controllers.lua $(or $(ROUNDS),7) && \
	  exit $$status

## clean: remove build/
clean:
	rm -rf build

## help: this list
help:
	@awk '/^## [a-z-]+: / { target = $$2; sub(/:$$/, "", target); sub(/^## [a-z-]+: /, ""); \
	  printf "  make %-13s %s\n", target, $$0 }' $(MAKEFILE_LIST)
