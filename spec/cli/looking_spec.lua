-- The commands that look at what somebody sent: `plan`, `explore`, `policy`, `playbooks FILE`, over
-- the process without rights.

local confine = require "alicloud.cli.confine"
local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local scratch = require "spec.scratch"

describe("the commands that look", function()
  local room = desks.room

  it("give a playbook nothing of the machine", function()
    local desk, file = room [[
      local found = {}
      local function try(name, body, ...)
        local ok, value = pcall(body, ...)
        if ok and value ~= nil and value ~= false then found[#found + 1] = name end
      end
      local core = require "alicloud.core"
      try("file", core.open_file, "/etc/passwd", "read")
      try("program", core.spawn, { "true" }, 10)
      try("child", core.child, { argv = { "true" } })
      try("secret", core.secret_from_file, "/etc/passwd")
      try("directory", core.make_directory, "/tmp/by-a-playbook")
      try("transport", require, "alicloud.transport")
      try("home", os.getenv, "HOME")
      try("key", os.getenv, "ALIBABA_CLOUD_ACCESS_KEY_SECRET")
      return require "alicloud.dr".playbook("x", function(run)
        run:step("found: " .. table.concat(found, ","), function() return true end)
      end)]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai")
    assert.equal(0, ran.code, ran.err)
    assert.matches("step found: \n", ran.out)
  end)

  it("ask with the command's own client, whatever client a playbook makes", function()
    local desk, file = room [[
      local alicloud = require "alicloud"
      local top = alicloud.client { region = "cn-shanghai", endpoint = "evil.example" }
      return require "alicloud.dr".playbook("x", function(run)
        local function look(client) return client:call("DescribeRegions") end
        run:step("top", function() return look(top) end)
        run:step("other", function() return look(run.client:with { endpoint = "evil.example" }) end)
        run:step("region", function() return look(run.client:with { region = "cn-hangzhou" }) end)
        run:step("keys", { on_error = "continue" }, function()
          return look(run.client:with { access_key_id = "x", access_key_secret = "y" })
        end)
        run:step("change", { on_error = "continue" }, function()
          return run.client:call("vpc:DeleteVpc", {}, { version = "2016-04-28", mutating = false })
        end)
      end)]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai", "--json")
    local effects = {}
    for _, step in ipairs(ran.object.steps) do effects[step.step] = step.effect end
    assert.same({ top = "reads", other = "reads", region = "reads", keys = "refused",
      change = "changes" }, effects)
    assert.equal(3, ran.object.reads)
    assert.equal(3, #desk:requests())
    assert.is_true(ran.object.confined.limits)
    assert.equal(core.sha256(scratch.read(file)), ran.object.digest)
  end)

  it("pass waits over", function()
    local desk, file = room [[
      return require "alicloud.dr".playbook("x", function(run)
        run:step("wait", function()
          local began = run.client.runtime.monotonic()
          run.client.runtime.sleep(3000)
          return run.client.runtime.monotonic() - began >= 3000
        end)
      end)]]
    local began = core.monotonic()
    assert.equal(0, desk:run("plan", file, "--region", "cn-shanghai").code)
    assert.is_true(core.monotonic() - began < 60)
  end)

  it("say that memory is over", function()
    if os.getenv "ALICLOUD_PRELOAD" then return end -- AddressSanitizer takes no such limit
    local desk, file = room [[
      local large, list = ("x"):rep(100 << 20), {}
      while true do list[#list + 1] = large .. #list end]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai")
    assert.equal(1, ran.code, ran.err)
    assert.matches("the playbook's process ended: out of memory %(limit 1024 MiB%)", ran.err)
  end)

  it("check a result, whoever has made it", function()
    local desk, file = room [[
      local link
      for n = 1, 9 do
        local name, value = debug.getupvalue(package.searchers[2], n)
        if name == "link" then link = value end
      end
      link.send { type = "result", value = { steps = {}, groups = {}, changes = 0, reads = 7 } }]]
    local ran = desk:run("plan", file, "--region", "cn-shanghai")
    assert.equal(1, ran.code)
    assert.matches('said what it may not say: a plan: unknown field "reads"', ran.err)
    ran = desk:run("policy", file, "--region", "cn-shanghai")
    assert.matches("said what it may not say: a rehearsal: ", ran.err)
    ran = desk:run("explore", file, "--region", "cn-shanghai", "--seeds", "1")
    assert.matches("said what it may not say: an end before its seeds", ran.err)
    ran = desk:run("playbooks", file)
    assert.matches("said what it may not say: a description: ", ran.err)
  end)

  it("describe a file", function()
    local desk, file = room [[
      return require "alicloud.dr".playbook("\u{202e}mine", { kind = "drill", summary = "Short.",
        params = { { name = "group", type = "id", help = "the group", required = true },
          { name = "age", type = "duration", help = "how old", default = "1h" } } },
        function() end)]]
    local ran = desk:run("playbooks", file)
    assert.equal(0, ran.code, ran.err)
    assert.matches("\\xe2\\x80\\xaemine   Short%.\n    group +the group %(needed%)\n"
      .. "    age +how old %(1h%)\n  sha256 %x+\n", ran.out)
    local about = desk:run("playbooks", file, "--json").object.playbooks[1]
    assert.equal("drill", about.kind)
    assert.equal(core.sha256(scratch.read(file)), about.digest)
    assert.equal(2, desk:run("playbooks", "./nothing.lua").code)
  end)
end)

describe("alicloud-dr explore", function()
  it("finds the same with one process and with three", function()
    local desk = desks.new { env = {} }
    for _, name in ipairs { "move", "raw" } do
      local path = ("spec/simulation/playbooks/%s.lua"):format(name)
      local function explore(jobs)
        return desk:run("explore", path, "--region", "cn-shanghai", "--seeds", "35", "--json",
          "--jobs", jobs).out
      end
      assert.equal(explore "1", explore "3")
    end
    local ran = desk:run("explore", "spec/simulation/playbooks/move.lua", "--jobs", "0", "--region",
      "cn-shanghai")
    assert.equal(2, ran.code)
    assert.matches('%-%-jobs: got "0"; allowed: a whole number from 1 to 64', ran.err)
  end)

  it("takes a world as data only", function()
    local desk = desks.new { env = {} }
    for words, text in pairs {
      ["f: must be plain data, got function"] = "return { f = function() end }",
      ["must give a table"] = "return 1", ["too large"] = "return ('xx'):rep(1 << 62)" } do
      local ran = desk:run("explore", "spec/simulation/playbooks/move.lua", "--region",
        "cn-shanghai", "--world", scratch.file(text, ".lua"))
      assert.equal(2, ran.code)
      assert.is_truthy(ran.err:find(words, 1, true), ran.err)
    end
  end)
end)

describe("what looks", function()
  it("says in one line what of the machine does not hold a playbook", function()
    local said = {}
    local io = { err = function(text) said[#said + 1] = text end }
    confine.tell_missing(io, { confined = { missing = {} } })
    confine.tell_missing(io, {})
    assert.same({}, said)
    local missing = { "Landlock: not in this kernel", "\27[2J" }
    confine.tell_missing(io, { confined = { missing = missing } })
    assert.same({ "alicloud-dr: the playbook was held by less than usual: Landlock: not in this "
      .. "kernel; \\x1b[2J\n" }, said)
  end)

  it("is interrupted as any command, and takes its process with it", function()
    local book = scratch.file "while true do end"
    local pipe <close> = assert(io.popen(([[
      export ALIBABA_CLOUD_ACCESS_KEY_ID=a ALIBABA_CLOUD_ACCESS_KEY_SECRET=b
      alicloud-dr plan %s --region cn-shanghai 2>&1 &
      command=$!
      until child=$(grep -l "^PPid:.$command$" /proc/[0-9]*/status 2>/dev/null) &&
        [ "$child" ]; do kill -0 $command || break; sleep 0.02; done
      child=${child#/proc/} child=${child%%/status}
      kill -INT $command
      wait $command
      echo "exit code $?"
      kill -0 $child 2>/dev/null && echo "still there"
      true]]):format(book)))
    assert.equal("alicloud-dr: interrupted\nexit code 130\n", pipe:read "a")
  end)
end)
