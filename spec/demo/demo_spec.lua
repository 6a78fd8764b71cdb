-- What a newcomer sees first must never be broken.
describe("the demo", function()
  local pipe = assert(io.popen "lua5.4 spec/demo/demo.lua 2>&1")
  local output = pipe:read "a"
  local ok = pipe:close()

  it("ends well and says so", function()
    assert.is_true(ok, output)
    assert.truthy(output:find("Done: all as it should be.", 1, true))
    assert.is_nil(output:find("NOT AS IT SHOULD BE", 1, true))
  end)

  -- A time of whole minutes has no seconds.
  local shown = {
    ["the direction"] = "cn%-hangzhou/g → cn%-shanghai/b",
    ["the recovery point"] = "last recovery point %d+m[%ds]* ago",
    ["the pre-check rule by rule"] = "pre%-check   ✔ group  ✔ direction  ✔ status",
    ["progress while the state moves"] = "failovering %d/3 pairs",
    ["achieved RTO and RPO"] = "failovered, RTO %d[%dms ]+, RPO %d+m[%ds]*",
    ["the request id"] = "request id %x+%-%x+",
    ["the documented code of a refusal"] = "✘ OperationDenied.PairGroupStatusConflict",
    ["the cure of a refusal"] = "what to do: list the pairs",
    ["the lost answer"] = "RequestTimeout %(HTTP 504%): it may have been done",
    ["the ledger"] = "exactly once",
  }
  for what, pattern in pairs(shown) do
    it("shows " .. what, function()
      assert.truthy(output:find(pattern), output)
    end)
  end

  it("says that it talks to an emulator", function()
    assert.truthy(output:find("emulator on this machine", 1, true))
  end)
end)
