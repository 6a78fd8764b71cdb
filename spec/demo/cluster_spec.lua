-- The takeover that is shown must happen. Brief: no lease is waited for.
local clusters = require "spec.etcd.cluster"

local missing = clusters.missing()
if missing then
  pending("the demonstration of a takeover: " .. missing)
  return
end

describe("the demonstration of a takeover", function()
  local pipe = assert(io.popen "lua5.4 spec/demo/cluster.lua brief 2>&1")
  local output = pipe:read "a"
  local ok = pipe:close()

  it("ends well and says so", function()
    assert.is_true(ok, output)
    assert.truthy(output:find("Done: all as it should be.", 1, true), output)
    assert.is_nil(output:find("NOT AS IT SHOULD BE", 1, true), output)
  end)

  local shown = {
    ["who waits for whom"] = "bob  |[^\n]* held by ada [^\n]*standing by",
    ["that the run was taken over"] = "bob  | [^\n]*process 2 of this run, taken over from ada",
    ["that the leader was killed in the middle"] =
      "ada  | [^\n]*client token [^\n]*\n.*ada  | %(killed%)\n",
    ["one effect"] = "The emulator's ledger:\n    1  pg%-orders [^\n]*\n    as it should be: "
      .. "pg%-orders was failed over exactly once",
  }
  for what, pattern in pairs(shown) do
    it("shows " .. what, function() assert.truthy(output:find(pattern), output) end)
  end
end)
