std = "lua54"
max_line_length = 100
self = false
-- A variable that only guards a scope, `local _guard <close> = ...`, is meant to be unused.
ignore = { "211/_.+" }
include_files = {
  "lua/**/*.lua", "spec/**/*.lua", "rockspec/*.rockspec", ".luacheckrc", ".busted",
}
-- Declarations for editors; they define nothing.
exclude_files = { "lua/**/*.d.lua" }

files["spec"].std = "lua54+busted"
files["rockspec"].std = "+rockspec"
-- Playbooks of hostile people, who replace what is not theirs and loop without an end.
files["spec/hostile"].ignore = { "122", "142", "511", "512" }
files["spec/fuzz"].read_globals = { "cjson", "op" }
files["spec/c/alloc_sweep.lua"].read_globals = { "host", "serve", "token" }
-- Scripts of other programs, which give them globals and look for theirs.
files["spec/hosts/lighttpd/button.lua"].globals = { "lighty" }
files["spec/hosts/neovim/dr.lua"].read_globals = { "vim" }
files["spec/hosts/dovecot/site.lua"] = {
  read_globals = { "dovecot" },
  globals = { "script_init", "script_deinit", "auth_passdb_lookup", "auth_userdb_lookup" },
}
