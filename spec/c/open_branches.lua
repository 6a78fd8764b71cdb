-- The files of which every branch is taken by the specs, and the branches that nothing takes: by
-- file, { function, source line, reason }.
return {
  files = { "errmap.c", "response.c", "json.c", "json_tree.c", "value.c", "request.c", "sign.c",
    "sign_buffers.c", "file.c", "lua_file.c" },
}
