-- A store of somebody's own that raises, or fails without a reason: whoever runs a playbook over it
-- gets an error that names the store and the method, as of a store of ours.

local foreign = require "alicloud.dr.store.foreign"
local stages = require "spec.dr.playbook.stage"

-- A store over that of the stage, with one method that does something else at its n-th call.
local function store_over(stage, method, instead, n)
  local inner, calls = stage.disk:open "run", 0
  local own = { name = "my store" }
  for _, name in ipairs { "load", "append", "settle", "cut", "reserve", "lease", "post", "mail",
    "others", "close" } do
    own[name] = inner[name] and function(_, ...)
      if name == method then
        calls = calls + 1
        if calls == (n or 1) then return instead() end
      end
      return inner[name](inner, ...)
    end
  end
  return own
end

local function boom() error("boom", 0) end

local function run(method, instead, n, given)
  local stage = stages.new()
  local options = { store = store_over(stage, method, instead, n) }
  for name, value in pairs(given or {}) do options[name] = value end
  local result, err = stage:run(stage:move(), options)
  return result, err, stage
end

describe("a store of one's own", function()
  it("fails with its name and its method where it raises", function()
    for _, method in ipairs { "load", "append", "reserve", "lease", "mail" } do
      local result, err, stage = run(method, boom)
      assert.is_nil(result)
      assert.same({ "journal", "Client.JournalFailed", "not_sent" },
        { err.kind, err.code, err.outcome }, method)
      assert.matches("my store: its method " .. method .. " raised: boom", err.message, 1, true)
      assert.same({}, stage.bench:sends(), method)
    end
  end)

  it("is asked for nothing more by a run whose record it has not taken", function()
    for n = 2, 30 do
      local result, err, stage = run("append", boom, n)
      if result then
        assert.is_true(n > 10)
        break
      end
      assert.matches("my store: its method append raised: boom", err.message, 1, true)
      -- What has no record was not sent.
      local said = 0
      for _, event in ipairs(stage:events "call") do
        said = said + (event.action == "FailoverDiskReplicaGroup" and 1 or 0)
      end
      assert.is_true(#stage.bench:sends() <= said)
      assert.equal(n - 1, #stage:events())
    end
  end)

  it("says why in its own words, and fails where it says nothing", function()
    local gave = "my store: its method %s gave nothing; allowed: %s, or nil and a reason"
    for method, allowed in pairs { load = "a string", append = "true", lease = "a table" } do
      local _, err = run(method, function() end)
      assert.equal(gave:format(method, allowed), err.message)
      _, err = run(method, function() return nil, "no space" end)
      assert.equal("my store: its method " .. method .. " failed: no space", err.message)
      assert.equal("Client.JournalFailed", err.code)
    end
    local _, err = run("load", function() return 7 end)
    assert.equal("my store: its method load gave 7 (number); allowed: a string, or nil and a "
      .. "reason", err.message)
  end)

  it("may raise what is not needed to go on", function()
    for _, method in ipairs { "others", "close" } do
      assert.is_table((run(method, boom)), method)
    end
  end)

  it("may fail to close, which is told in its own words", function()
    for _, reason in ipairs { "disk full", 5 } do
      local stage, warnings = stages.new(), {}
      stage.bench.client.runtime.warn = function(text) warnings[#warnings + 1] = text end
      assert.is_table((stage:run(stage:move(), {
        store = store_over(stage, "close", function() return nil, reason end) })))
      assert.same({ "my store: its method close failed: " .. reason }, warnings)
    end
  end)

  it("has lost its lease where it cannot tell", function()
    local own = store_over(stages.new())
    own.lost = boom
    local err = foreign.guarded(own):lost()
    assert.same({ "Client.JournalFailed", "my store: its method lost raised: boom" },
      { err.code, err.message })
  end)

  it("has lost its lease where nobody will be told of it", function()
    local own, told = store_over(stages.new()), {}
    own.on_lost = boom
    foreign.guarded(own):on_lost(function(err) told[#told + 1] = err.message end)
    assert.same({ "my store: its method on_lost raised: boom" }, told)
  end)

  it("is asked for its letters again where it had none to give", function()
    for n = 1, 6 do
      assert.is_table((run("mail", function() return nil, "mailbox busy" end, n)))
    end
  end)

  it("lets through what ends a run from outside", function()
    local _, err = run("append", function() error("interrupted!", 0) end, 3)
    assert.equal("Client.Interrupted", err.code)
  end)

  it("is refused without what a run needs", function()
    local stage = stages.new()
    local store = store_over(stage)
    store.lease = nil
    assert.has_error(function() stage:run(stage:move(), { store = store }) end,
      "dr.run: option store: it has no method lease; allowed: a store with load, append, cut, "
      .. "reserve, lease, mail, close")
  end)
end)
