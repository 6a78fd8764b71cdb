-- How the service is reached, as a journal keeps it: nothing else, and no secret.

local stages = require "spec.dr.playbook.stage"
local ways = require "alicloud.dr.playbook.way"

local function run(way)
  local stage = stages.new()
  return stage:run(stage:move(), { way = way }), stage
end

describe("the option way of dr.run", function()
  it("is kept with the process", function()
    local way = { endpoint = "http://127.0.0.1:4711", resolve = { "a.example=127.0.0.1" } }
    local result, stage = run(way)
    assert.is_table(result)
    assert.same(way, stage:events("attempt")[1].way)
    assert.same({ "--endpoint http://127.0.0.1:4711", "--resolve a.example=127.0.0.1" },
      ways.options(way))
  end)

  it("is refused with a password, which is not shown", function()
    for _, name in ipairs { "proxy", "endpoint" } do
      local ok, message = pcall(run, { [name] = "http://u:sEcReT@h:1" })
      assert.is_false(ok)
      assert.matches(("option way.%s: got a string (not shown); allowed: text without a user or a "
        .. "password"):format(name), message, 1, true)
    end
  end)

  it("is refused where it holds anything else", function()
    for words, way in pairs { ['"way.endpiont"; did you mean "endpoint"?'] = { endpiont = "x" },
      ["way.profile: got 5"] = { profile = 5 }, ["way.resolve: got"] = { resolve = "a=b" },
      ["way.resolve.1: got"] = { resolve = { 7 } } } do
      local ok, message = pcall(run, way)
      assert.is_false(ok, words)
      assert.matches(words, message, 1, true)
    end
  end)
end)
