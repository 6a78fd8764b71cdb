-- The files of which every branch is taken by the specs, and the branches that nothing takes: by
-- file, { function, source line, reason }. Of a line with one of `idioms`, two are open for its
-- reason.
return {
  files = { "errmap.c", "response.c", "xml.c", "json.c", "utf8.c", "value.c", "value_encode.c",
    "request.c", "sign.c", "file.c", "lua_file.c" },
  ["response.c"] = {
    { "read_json", "if (!ac_buf_room(&response->text, FIELD_COUNT * 32))",
      "the copy that cJSON was given has left more room than that" },
  },
  ["file.c"] = {
    { "make", "if (fd >= 0 && fchmod(fd, mode) != 0) {",
      "whoever has just made a file may say its mode" },
    { "ac_file_make_directory", "return chmod(path, mode) == 0 ? 0 : errno;",
      "whoever has just made a directory may say its mode" },
    { "open_or_make", "return fd < 0 && errno == EEXIST ? open_retrying(path, flags, 0) : fd;",
      "another process makes it between the two looks" },
  },
  ["lua_file.c"] = {
    { "core_process",
      'acL_set_integer(L, "processors", processors > 0 ? (uint64_t)processors : 1);',
      "a machine has a processor" },
    { "core_write_file", "if (!ac_sys_random(random, sizeof random))",
      "a kernel that has started has randomness to give" },
  },
  idioms = {
    ["luaL_argcheck("] = "luaL_argerror() does not come back",
    ["ac_sys_is_confined("] = "a confined process cannot write down what it took",
    ["acL_push_confined(L, path)"] = "the same",
  },
}
