rockspec_format = "3.0"
package = "alicloud-dr"
version = "scm-1"
source = {
  url = "git+file://.",
}
description = {
  summary = "Disaster recovery for Alibaba Cloud block storage",
  detailed = [[
    A C core signs, sends and classifies Alibaba Cloud RPC calls; Lua on top checks, fails over
    and watches replication pair-consistent groups. An emulator of the EBS replication API lets
    a disaster be rehearsed without an account.
  ]],
  license = "MIT",
  labels = { "alibaba-cloud", "disaster-recovery", "ebs", "failover" },
}
dependencies = {
  "lua >= 5.4, < 5.6",
  "argparse",
}
-- No `header` entries: LuaRocks looks for them only directly below the include directories, and
-- Debian keeps curl.h in a directory of the machine's architecture. The compiler finds it.
external_dependencies = {
  CURL = { library = "curl" },
  CRYPTO = { library = "crypto" },
  CJSON = { library = "cjson" },
}
-- The Makefile decides about the emulator's socket: `builtin` cannot leave a module out when
-- libmicrohttpd is missing.
build = {
  type = "make",
  build_target = "all",
  build_variables = {
    BUILD = "build/rock",
    LUA = "$(LUA)",
    CFLAGS = "$(CFLAGS)",
    LIBFLAG = "$(LIBFLAG)",
    LUA_INCDIR = "$(LUA_INCDIR)",
  },
  install_variables = {
    BUILD = "build/rock",
    LUA = "$(LUA)",
    CFLAGS = "$(CFLAGS)",
    LIBFLAG = "$(LIBFLAG)",
    LUA_INCDIR = "$(LUA_INCDIR)",
    LUADIR = "$(LUADIR)",
    LIBDIR = "$(LIBDIR)",
    BINDIR = "$(BINDIR)",
    PREFIX = "$(PREFIX)",
    MANIFEST = "",
    RELOCATABLE = "yes",
  },
}
-- The command finds its modules from its own place. A wrapper would ask the environment and the
-- current directory first.
deploy = {
  wrap_bin_scripts = false,
}
