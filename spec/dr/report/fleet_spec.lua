-- One report over all items of a fleet, and what a text from outside can do to it.

local core = require "alicloud.core"
local fleets = require "alicloud.dr.report.fleet"

local function status()
  local items = {}
  for i = 1, 20 do
    items[i] = { account = "100001", group = "pg-" .. i, region = "cn-shanghai", stage = 1,
      journal = "etcd+https://h:2379/dr#night.100001.pg-" .. i, state = "done",
      ending = { outcome = "done", status = "completed", rto = 40 + i, rpo = 60, at = 1000 + i } }
  end
  items[3].state, items[3].ending = "failed", { outcome = "failed", code = "Forbidden",
    message = "no | <script>alert(1)</script> @all", at = 1100 }
  items[4].state, items[4].ending, items[4].holder = "under_way", nil, { owner = "anna",
    host = "one" }
  return { name = "night", playbook = "failover", count = 20, done = 18, failed = 1, left_out = 0,
    under_way = 1, open = 0, stage = 1, stages = 1, items = items, begun_at = 900, by = "anna" }
end

describe("the report over a fleet", function()
  it("tells how many ended how, and the spread of both figures", function()
    local model = fleets.model(status())
    assert.same({ count = 18, least = 41, median = 51, p95 = 60, most = 60 }, model.rto)
    assert.equal(1100, model.ended_at)
    local text = fleets.render(status(), "md")
    assert.matches("# ✘ 1 failed: fleet night\n", text)
    assert.matches("Of 20 groups: 18 done, 1 failed, 1 under way%.", text)
    assert.matches("| Recovery time | %*%*1m at most%*%* | 41 s to 1m, half of them within 51 s",
      text)
    assert.matches("| 100001/pg%-20 | ✔ done | 1m | 1m | [^\n]*#night", text)
    assert.matches("under way by anna on one", text)
  end)

  it("has a line for each item in every form, and escapes what others wrote", function()
    for _, format in ipairs(fleets.FORMATS) do
      local text, count = fleets.render(status(), format), 0
      for _ in text:gmatch "night%.100001%.pg" do count = count + 1 end
      assert.equal(20, count, format)
    end
    local page = fleets.render(status(), "html")
    assert.is_nil(page:find "<script")
    assert.matches("Content%-Security%-Policy", page)
    assert.is_nil(fleets.render(status(), "md"):find "[^\\]<script")
    local object = assert(core.decode(fleets.render(status(), "json")))
    assert.same({ 20, "Forbidden" }, { #object.items, object.items[3].ending.code })
    assert.is_nil(fleets.render(status(), "pdf"))
  end)

  it("says so where nobody can tell a figure, and where it is on hold", function()
    local given = status()
    for _, item in ipairs(given.items) do item.ending = nil end
    given.hold = { why = "wait", by = "chief", at = 1000 }
    local text = fleets.render(given, "md")
    assert.matches("| Recovery point | %*%*not known%*%* |", text)
    assert.matches("| On hold | [^|]* | wait %(by chief%) |", text)
  end)
end)
