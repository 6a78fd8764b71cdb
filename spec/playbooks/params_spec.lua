-- What a playbook takes: declared, read, refused by name, kept in the journal.

local dr = require "alicloud.dr"
local params = require "alicloud.dr.playbook.params"
local scene = require "spec.playbooks.scene"
local stages = require "spec.dr.playbook.stage"

local LIST = {
  { name = "group", type = "id", required = true, help = "the group" },
  { name = "names", type = "ids", help = "people" },
  { name = "region", type = "region", help = "where" },
  { name = "to", type = "place", help = "which side" },
  { name = "max_rpo", type = "duration", default = "1h", help = "age" },
  { name = "parallel", type = "integer", help = "how many" },
  { name = "canary", type = "count", help = "how many" },
  { name = "max_errors", type = "share", help = "how many" },
  { name = "protect", type = "boolean", help = "whether" },
  { name = "attach", type = "disks", help = "instances" },
  { name = "mode", type = "choice", values = { "try", "must" }, help = "how" },
  { name = "check", type = "command", help = "what" },
  { name = "title", type = "text", help = "words" },
}

local function refused(given)
  local read, message = params.read(LIST, given)
  assert.is_nil(read)
  return message
end

describe("parameters of a playbook", function()
  it("are read as they are typed", function()
    local function check() return true end
    assert.same({ group = "pg-1", names = { "a", "b" }, region = "cn-shanghai", max_rpo = 1200,
      parallel = 8, canary = 0, max_errors = "10%", protect = false,
      attach = { ["d-1"] = "i-1", ["d-2"] = "i-2" }, mode = "must", check = check, title = "x y" },
      params.read(LIST, { group = "pg-1", names = "a, b", region = "cn-shanghai", max_rpo = "20m",
        parallel = "8", canary = "0", max_errors = "10%", protect = "no",
        attach = "d-1:i-1,d-2:i-2", mode = "must", check = check, title = "x y" }))
  end)

  it("are read from Lua values, with defaults", function()
    assert.same({ group = "pg-1", max_rpo = 3600, to = "cn-hangzhou-h", names = { "a" },
      protect = true, attach = "i-1" }, params.read(LIST, { group = "pg-1", to = "cn-hangzhou-h",
      names = { "a" }, protect = true, attach = "i-1" }))
    assert.same({ ["d-1"] = "i-1" },
      params.read(LIST, { group = "x", attach = { ["d-1"] = "i-1" } }).attach)
    assert.equal(3, params.read(LIST, { group = "x", max_errors = "3" }).max_errors)
  end)

  it("are refused with field, value and what is allowed", function()
    assert.equal('unknown parameter "max_rp"; did you mean "max_rpo"?',
      refused { group = "pg-1", max_rp = "1h" })
    assert.matches("^parameter group is missing: the group; allowed: an id", refused {})
    assert.equal('unknown parameter "1"', refused { 1, zz = 1, group = "pg-1" })
    local id = "an id of 1 to 64 letters, digits, '-', '_' or '.'"
    local ids = "ids with a comma between, e.g. pg-a,pg-b"
    local age = 'seconds, or a text such as "90s", "20m", "1h30m"'
    local whole, share = "a whole number from 1 to 100000",
      'a whole number from 1, or a part such as "10%"'
    local disks = "an instance, or DISK:INSTANCE with a comma between"
    local command = "a command line for sh, or in Lua a function"
    for _, case in ipairs {
      { "group", "pg 1", '"pg 1"', id }, { "group", 5, "5 (number)", id },
      { "names", "a,,b", '"a,,b"', ids }, { "names", {}, "a table", ids },
      { "names", 5, "5 (number)", ids }, { "names", "", '"" (empty string)', ids },
      { "region", "Shanghai", '"Shanghai"', "a region such as cn-shanghai" },
      { "max_rpo", "soon", '"soon"', age }, { "max_rpo", -1, "-1 (number)", age },
      { "parallel", "0", '"0"', whole }, { "parallel", 1.5, "1.5 (number)", whole },
      { "parallel", 100001, "100001 (number)", whole },
      { "canary", "-1", '"-1"', "a whole number from 0 to 100000" },
      { "max_errors", "110%", '"110%"', share }, { "max_errors", "0%", '"0%"', share },
      { "protect", "perhaps", '"perhaps"', "yes or no" },
      { "protect", 1, "1 (number)", "yes or no" }, { "attach", "d-1:", '"d-1:"', disks },
      { "attach", "d-1:i-1,d-1:i-2", '"d-1:i-1,d-1:i-2"', disks },
      { "attach", { ["-"] = "i" }, "a table", disks }, { "attach", true, "true (boolean)", disks },
      { "mode", "maybe", '"maybe"', '"try" or "must"' }, { "check", " ", '" "', command },
      { "check", "(function)", '"(function)"', command }, { "check", "a\0", '"a\\x00"', command },
      { "title", "", '"" (empty string)', "text without control characters" },
    } do
      local given = { group = "pg-1", [case[1]] = case[2] }
      assert.equal(("parameter %s: got %s; allowed: %s"):format(case[1], case[3], case[4]),
        refused(given))
    end
    assert.matches("^parameter region: ", refused { group = "pg-1", title = 5, region = "X" })
  end)

  it("are declared without mistakes", function()
    local function declare(list) return dr.playbook("x", { params = list }, print) end
    assert.error_matches(function() declare { { name = "a", type = "dorp", help = "x" } } end,
      'parameter 1: type: got "dorp"')
    assert.error_matches(function() declare { { name = "a b", type = "text" } } end, "name: got")
    assert.error_matches(function() declare { LIST[1], LIST[1] } end, "parameter 2: name")
    assert.error_matches(function() dr.playbook("x", { kinds = "drill" }, print) end,
      'did you mean "kind"')
  end)

  it("reach the playbook, and stop a run before it begins", function()
    local stage, seen = stages.new()
    local playbook = dr.playbook("x", { kind = "drill", params = LIST }, function(run)
      seen = { run.kind, run.params.max_rpo }
    end)
    assert.error_matches(function() stage:run(playbook, { params = { group = "?" } }) end,
      "dr.run: parameter group")
    local _, err = stage:run(playbook)
    assert.equal("Client.BadParameter", err.code)
    assert.is_nil(seen)
    assert(stages.new():run(playbook, { params = { group = "pg-1", max_rpo = "20m" } }))
    assert.same({ "drill", 1200 }, seen)
  end)

  it("that are functions have to be given again", function()
    local stage, calls = scene.stage(), 0
    local function given()
      return { params = { group = "pg-orders", check = function()
        calls = calls + 1
        return true
      end } }
    end
    assert(stage:run_until(scene.load "drill", function(call) return call.n == 12 and "crash" end,
      given()))
    local _, err = stage:run(scene.load "drill")
    assert.equal("Client.BadParameter", err.code)
    assert.matches('parameter check: got "%(function%)"', err.message)
    assert(stage:run(scene.load "drill", given()))
    assert.equal(1, calls)
  end)
end)

describe("a program of a step", function()
  it("tells by its exit code, and sees what it is about", function()
    local stage = stages.new()
    assert(stage:run(function(run)
      run:step("good", function(own)
        return own:program("test $ALICLOUD_DR_GROUP = pg-1 && test $ALICLOUD_DR_KIND = unplanned",
          { group = "pg-1" })
      end)
      local _, err = run:step("bad", { on_error = "continue" }, function(own)
        return own:program "exit 7"
      end)
      assert.equal("Client.ProgramFailed", err.code)
      assert.equal("exit 7: exit code 7", err.message)
      _, err = run:step("killed", { on_error = "continue" }, function(own)
        return own:program "kill -TERM $$"
      end)
      assert.matches("ended by signal 15", err.message)
    end))
    local _, err = stages.new():run(function(run) run:program "true" end)
    assert.matches("only inside of a step", err.message)
  end)
end)

describe("an accepted loss", function()
  it("counts for a pre-check of the run as well", function()
    local stage = stages.new { group = { recover_point_age = 3000 } }
    local function body(run)
      local orders = run:group("pg-orders", { region = "cn-shanghai" })
      run:step("check", function() return orders:precheck { max_rpo = "20m" } end)
    end
    local _, err = stage:run(body)
    assert.equal("Client.RecoveryPointTooOld", err.code)
    assert(stage:run(body, { accept_loss = { seconds = 3600, by = "chief", why = "it burns" } }))
  end)
end)

describe("a command of a parameter", function()
  local PARAMS = { group = "pg-orders", region = "cn-shanghai", fence = "no" }

  it("is refused before the first change if its file is not there", function()
    for _, line in ipairs { "./no-such.sh", "/no/such --fast", " ./no/such; true" } do
      local stage = scene.stage()
      local _, err = scene.run("failover", stage, PARAMS, { verify = line })
      assert.equal("Client.BadParameter", err.code)
      assert.equal("not_sent", err.outcome)
      assert.matches("parameter verify: there is no file [./]+no.?.?such", err.message)
      assert.same({}, stage.bench:ledger())
    end
    local list = { { name = "table", type = "rows", help = "all", columns = {
      { name = "stop", type = "command", help = "stops it" } } } }
    assert.equal("parameter stop: there is no file ./no-such.sh, for pg-1",
      params.missing_program(list, { table = { ["pg-1"] = { stop = "./no-such.sh" } } }))
  end)

  it("is the shell's as soon as it is more than a file", function()
    local list = { { name = "verify", type = "command", help = "what" } }
    for _, line in ipairs { "true", "no-such-word -x", "cd /no/such && x", "X=/no/such y",
      "'/no/such'", "$HOME/no/such", "/bin/sh -c true", "(/no/such)" } do
      assert.is_nil(params.missing_program(list, { verify = line }))
    end
    assert.is_nil(params.missing_program(list, { verify = function() return true end }))
    assert.is_nil(params.missing_program(nil, { verify = "./no-such.sh" }))
  end)

  it("is not looked for where a run goes on, or something stands in for programs", function()
    local stage, ran = scene.stage(), {}
    assert(scene.run("failover", stage, PARAMS, { verify = "./no-such.sh" },
      { program = function(line)
        ran[#ran + 1] = line
        return true
      end }))
    assert.same({ "./no-such.sh" }, ran)
  end)
end)
