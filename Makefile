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
LUA_FILES  = $(shell find lua -name '*.lua' -o -name '*.md')

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
SETUPS   := setup $(addprefix setup-,test days check hosts interop bench systems portable)
.PHONY: all httpd programs help $(SETUPS) demo test days check fuzz coverage hosts explore kills interop \
        systems portable types env install rock bench soak clean

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
	  echo "httpd.so left out: it needs <microhttpd.h>, and only the emulator's socket needs it" >&2; fi

$(BUILD)/obj/confine/seccomp.o: FOUND = -DAC_HAVE_SECCOMP=$(if $(HAVE_SECCOMP),1,0)
$(BUILD)/obj/%.o: src/%.c
	@mkdir -p $(@D)
	$(COMPILE)

$(BUILD)/spec $(BUILD)/bin $(MODULE):
	@mkdir -p $@

-include $(wildcard $(BUILD)/obj/*/*.d)

# $(call launcher,lua,lib) writes the command for modules in those two directories. With -E nothing of
# the environment is executed. All paths are whole: it is typed in other people's directories.
rooted      = $(if $(filter /%,$(1)),$(1),$(CURDIR)/$(1))
INTERPRETER = $(call rooted,$(shell command -v "$(LUA)"))
launcher = printf '%s\n' \
  '\#!$(if $(word 2,$(INTERPRETER)),/usr/bin/env -S "$(INTERPRETER)",$(INTERPRETER)) -E' \
  'assert(loadfile("$(call rooted,$(1))/alicloud/cli/installed.lua"))(' \
  '  "$(call rooted,$(1))", "$(call rooted,$(2))")' \
  'os.exit(require("alicloud.cli.main").main(arg), true)'

# LuaRocks moves what was installed from the directory of the rock into its tree.
RUN_LUADIR = $(if $(ROCKS_TREE),$(shell cd "$(ROCKS_TREE)" && pwd)/share/lua/$(LUA_VERSION),$(LUADIR))
RUN_LIBDIR = $(if $(ROCKS_TREE),$(shell cd "$(ROCKS_TREE)" && pwd)/lib/lua/$(LUA_VERSION),$(LIBDIR))

$(BUILD)/bin/alicloud-dr: Makefile | $(BUILD)/bin
	@$(call launcher,lua,$(BUILD)) >$@ && chmod 755 $@

# What only the specs use: a module of process tricks, and C hosts.
links     = $(shell echo 'int main(void) { return 0; }' | \
            $(CC) -x c - $(1) -o /dev/null 2>/dev/null && echo "$(1)")
LUA_LIB   = $(or $(call pc,--libs,$(LUA_NAMES)),$(firstword \
            $(foreach name,$(LUA_NAMES),$(call links,-l$(name)))))
SWEPT     = $(sort $(CORE) $(TRANSPORT))
WRAP     := -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=free
PROGRAM   = $(CC) -std=c11 $(WARN) $(INCLUDE_FLAGS) \
            $(addprefix -Isrc/,common core transport) $(CPPFLAGS) $(CFLAGS) $(LDFLAGS) -o $@

GUESTS    = $(addprefix $(BUILD)/spec/,posix.so slow_dns.so bad_system.so)

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
## setup-test: the same for the specs
## setup-days: the same for `make days`
## setup-check: the same for `make check`
## setup-hosts: the same for `make hosts`
## setup-interop: the same for `make interop`
## setup-bench: the same for `make bench`
$(SETUPS):
	@.ci/setup $(@:setup-%=%)

## demo: set up, build, and watch a disaster being recovered
demo: setup
	@eval "$$($(MAKE) --no-print-directory -s env)" && $(LUA) spec/demo/demo.lua

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

## fuzz: MINUTES (1) of libFuzzer for each target of spec/fuzz
fuzz: setup-check
	@$(MAKE) --no-print-directory -s BUILD=build/fuzz CC=clang HARDEN= FUZZ_MAIN= \
	  CFLAGS="-O1 -g -fno-omit-frame-pointer $(FUZZED),fuzzer-no-link" \
	  LDFLAGS="$(FUZZED),fuzzer" build/fuzz/spec/fuzz
	@.ci/fuzz build/fuzz/spec/fuzz -max_total_time=$$(($(or $(MINUTES),1) * 60))

## coverage: the core's branches that no spec takes
coverage: setup-check
	@$(MAKE) --no-print-directory -s BUILD=build/coverage CC=gcc HARDEN= LDFLAGS=--coverage \
	  CFLAGS="-O0 -g --coverage" all programs
	@.ci/coverage build/coverage

## hosts: spec/hosts in lighttpd, dovecot, HAProxy, Neovim and C
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

## types: write the declarations for editors anew
types:
	@$(MAKE) --no-print-directory -s all
	@eval "$$($(MAKE) --no-print-directory -s env)" && \
	  LUA_PATH="./?.lua;$$LUA_PATH" $(LUA) -e 'require("spec.types").write()'

## env: print exports for the shell: eval "$(make -s env)"
env:
	@$(MAKE) --no-print-directory -s all >&2
	@echo "export LUA_PATH='$(CURDIR)/lua/?.lua;$(CURDIR)/lua/?/init.lua;'\"\$${LUA_PATH:-;}\""
	@echo "export LUA_CPATH='$(abspath $(BUILD))/?.so;'\"\$${LUA_CPATH:-;}\""
	@echo "export PATH='$(abspath $(BUILD))/bin':\"\$$PATH\""

## install: install below PREFIX (/usr/local), staged below DESTDIR
install: all
	for f in $(LUA_FILES:lua/%=%); do \
	  install -d "$(DESTDIR)$(LUADIR)/$$(dirname $$f)" && \
	  install -m 644 "lua/$$f" "$(DESTDIR)$(LUADIR)/$$f" || exit 1; done
	install -d "$(DESTDIR)$(LIBDIR)/alicloud" "$(DESTDIR)$(BINDIR)"
	install -m 755 $(MODULE)/*.so "$(DESTDIR)$(LIBDIR)/alicloud"
	@$(call launcher,$(RUN_LUADIR),$(RUN_LIBDIR)) >"$(BUILD)/launcher"
	install -m 755 "$(BUILD)/launcher" "$(DESTDIR)$(BINDIR)/alicloud-dr"

## rock: build the rock offline into build/rocks and use it there
rock:
	@.ci/rock

## explore: playbooks under SEEDS (200000) seeds of random troubles
explore:
	@$(MAKE) --no-print-directory -s all $(GUESTS)
	@.ci/explore $(BUILD) $(or $(SEEDS),200000)

## kills: runs that the kernel kills at one call in STRIDE (1)
kills: setup-check
	@$(MAKE) --no-print-directory -s all
	@.ci/kills $(BUILD) $(or $(STRIDE),1)

## soak: CALLS (1000000) whose memory must not grow (nginx)
soak: setup-test
	@$(MAKE) --no-print-directory -s all $(BUILD)/spec/posix.so
	@eval "$$($(MAKE) --no-print-directory -s env)" && \
	  LUA_PATH="./?.lua;$$LUA_PATH" $(LUA) spec/soak/soak.lua $(or $(CALLS),1000000)

## bench: ROUNDS (7) beside C, the vendor's SDKs and others
bench: setup-bench
	@$(MAKE) --no-print-directory -s all $(BUILD)/spec/posix.so $(BUILD)/spec/floor \
	  $(if $(wildcard $(ALIYUNGO)),$(BUILD)/spec/aliyungo)
	@CI= .ci/interop $(BUILD) fetch
	@eval "$$($(MAKE) --no-print-directory -s env)" && $(LUA) spec/bench/bench.lua $(BUILD) \
	  $(or $(ROUNDS),7); status=$$?; echo; \
	  $(LUA) spec/bench/figures.lua $(or $(ROUNDS),7) && exit $$status

## clean: remove build/
clean:
	rm -rf build

## help: this list
help:
	@awk '/^## [a-z-]+: / { target = $$2; sub(/:$$/, "", target); sub(/^## [a-z-]+: /, ""); \
	  printf "  make %-13s %s\n", target, $$0 }' $(MAKEFILE_LIST)
