local annotations = require "spec.annotations"
local complete = require "alicloud.cli.repl.complete"
local desks = require "spec.cli.desk"
local dr = require "alicloud.dr"
local manual = require "alicloud.cli.commands.manual"
local process = require "spec.process"
local readable = require "alicloud.base.readable"
local scratch = require "spec.scratch"

-- What a session with these lines prints.
local function type_in(lines, given)
  given = given or {}
  given.typed = lines
  local desk = desks.new(given)
  return desk:run("repl", "--region", "cn-shanghai"), desk
end

describe("the REPL", function()
  it("prints results, keeps variables, and reads on while a piece is unfinished", function()
    local ran = type_in { "x = 20", "x + 1", "=x + 2", "for i = 1, 2 do", "print(i)", "end", "1 +",
      "2", "nil, 'why'", "_ == nil" }
    assert.equal(0, ran.code)
    assert.equal("21\n22\n1\n2\n3\nnil\twhy\ntrue\n", ran.out)
    assert.equal("", ran.err)
  end)

  it("takes no piece of more than 2000 lines, and one of so many", function()
    local function rows(count, ...)
      local lines = { "x = {" }
      for i = 1, count do lines[i + 1] = "1," end
      for _, line in ipairs { "}", ... } do lines[#lines + 1] = line end
      return type_in(lines)
    end
    assert.equal("1998\n", rows(1998, "#x").out)
    local ran = rows(1999)
    assert.equal(2, ran.code)
    assert.matches("standard input: got more than 2000 lines that are no whole piece of Lua; a "
      .. "longer one can be a file, for dofile\n", ran.err, 1, true)
  end)

  it("takes no line without an end, and no piece of lines without one", function()
    local half = ("a"):rep(600000)
    local ran = type_in { "x = [[", half, half, "1 + 1" }
    assert.same({ 2, "" }, { ran.code, ran.out })
    assert.matches("standard input: got more than 1 MiB that is no whole piece of Lua", ran.err)
    local command = " | ALIBABA_CLOUD_ACCESS_KEY_ID=i ALIBABA_CLOUD_ACCESS_KEY_SECRET=s "
      .. "alicloud-dr repl --region cn-shanghai --no-history"
    local output, code = process.sh("head -c 1048577 /dev/zero" .. command)
    assert.same({ "alicloud-dr: standard input: got a line of more than 1 MiB\n", 2 },
      { output, code })
    assert.equal("1\n", (process.sh("{ head -c 1048574 /dev/zero | tr '\\0' ' '; echo 1; }"
      .. command)))
  end)

  it("calls operations, and shows answers as tables", function()
    local ran = type_in {
      [[ebs:DescribeDiskReplicaGroups { GroupIds = "pg-orders", Site = "backup" }]],
      "_.ReplicaGroups[1].Status", "ebs", "ecs", "client",
    }
    assert.matches('ReplicaGroupId = "pg%-orders",\n', ran.out)
    assert.matches("\nnormal\n", ran.out)
    assert.matches("alicloud.Client { region = cn%-shanghai", ran.out)
  end)

  it("explains what went wrong, the last error if none is named", function()
    local ran = type_in { [[ebs:FailoverDiskReplicaGroup { ReplicaGroupId = "nope" }]],
      "explain()", "ebs:must('DescribeDiskReplicaGroups', { GroupIds = 'pg-1', Site = 'backup' })",
      [[help "FailoverDiskReplicaGroup"]], "explain(5)" }
    assert.matches("nil\tebs:FailoverDiskReplicaGroup NoSuchResource %(404%)", ran.out)
    assert.matches("\nNoSuchResource %(HTTP 404%)\n", ran.out)
    assert.matches("the service refused it, nothing was done\n", ran.out)
    assert.matches("what to do   the wrong region is the usual cause", ran.out)
    assert.matches("Makes the secondary disks of a group readable and writable", ran.out)
    assert.matches("explain: there is no error yet; allowed: an error or a code as errors print it",
      type_in { "explain()" }.err)
    assert.matches("explain: got 5 %(number%); allowed: an error of this library", ran.err)
  end)

  it("names the line that was typed in what is wrong with it, and no line of its own", function()
    for line, expected in pairs {
      ['help "Nope"'] = '^repl:1: ebs: no help for "Nope"',
      ["ebs:DescribeDiskReplicaGroups { Foo = 1 }"] = "^repl:1: .*unknown parameter",
      ['explain "Client.Nope"'] = "^repl:1: the code ",
      ["x = ebs:DescribeDiskReplicaGroups { Foo = 1 }"] = "^repl:1: .*unknown parameter",
      ['client:call "Describe\\0"'] = "^repl:1: ",
      ["dr.group(client)"] = "^repl:1: ",
    } do
      local ran = type_in { line }
      assert.equal(1, ran.code, line)
      assert.matches(expected, ran.err)
      assert.is_nil(ran.err:find("%.lua:"), ran.err)
    end
    local ran = type_in { "1 -- one", "2;", "nil", "(function(...) return ... end)(3, nil)", "..." }
    assert.matches("^1\n2\nnil\n3\tnil\n", ran.out)
  end)

  it("goes on after an error, and tells of it at its end where nobody types", function()
    local ran = type_in { "error 'mine'", "foo bar", "ebs:failoverDiskReplicaGroup {}", "'on'" }
    assert.equal(1, ran.code)
    assert.equal("on\n", ran.out)
    assert.matches("repl:1: mine\n", ran.err)
    assert.matches("syntax error near 'bar'", ran.err)
    assert.matches("did you mean .*FailoverDiskReplicaGroup", ran.err)
    ran = type_in({ "error 'mine'" }, { input_tty = true })
    assert.equal(0, ran.code)
    assert.matches("^alicloud%-dr .*help%(%) lists what there is.*\n> > \n$", ran.out)
  end)

  it("lets no escape of the terminal through", function()
    local ran = type_in { [[print("\27[31mred", "a\nb")]], [[{ ["\27"] = "\r" }]], [["\u{202e}"]],
      [[error "\27]0;title\7"]] }
    assert.not_matches("[\27\7\r]", ran.out .. ran.err)
    assert.matches("a\nb\n", ran.out)
  end)

  it("shows any value, and goes on after anything that is raised", function()
    local ran = type_in { "local raises = function() error 'trap' end "
      .. "nasty = setmetatable({}, { __tostring = raises, __index = raises, __len = raises,"
      .. "__pairs = raises, __name = raises })", "nasty", "{ nasty, [nasty] = nasty }",
      "print(nasty)", "error(nasty)", "nil, nasty", "error(setmetatable({}, { __tostring = "
      .. "function() return 42 end, __metatable = 7 }))", "error()", "'on'" }
    assert.matches("^a table that cannot be shown\n", ran.out)
    assert.matches("\non\n$", ran.out)
    assert.matches("a table that cannot be shown\n", ran.err)
  end)

  it("is not for --json", function()
    local desk = desks.new()
    local ran = desk:run("repl", "--region", "cn-shanghai", "--json")
    assert.equal(2, ran.code)
    assert.matches("%-%-json: got it for the REPL", ran.out)
  end)
end)

describe("help in the REPL", function()
  it("lists the topics of the manual and the operations, and shows one of them", function()
    local ran = type_in { "help()", 'help "repl"', 'help "FailoverDiskReplicaGroup"' }
    assert.equal(0, ran.code, ran.err)
    for _, topic in ipairs(manual.TOPICS) do
      assert.truthy(("\n" .. ran.out):find("\n  " .. topic .. " ", 1, true), topic)
    end
    assert.matches("\n  FailoverDiskReplicaGroup", ran.out)
    assert.truthy(ran.out:find(scratch.read "lua/alicloud/manual/repl.md", 1, true))
    assert.matches("\nebs:FailoverDiskReplicaGroup\n", ran.out)
  end)
end)

describe("a value in the REPL", function()
  it("stays on one line where it fits, sorted", function()
    assert.equal('{ 1, 2, A = { "x" }, b = true, [10] = 3, [true] = {} }',
      readable.value { 1, 2, b = true, A = { "x" }, [10] = 3, [true] = {} })
    assert.equal([[{ ["a b"] = "say \"hi\"\n" }]], readable.value { ["a b"] = 'say "hi"\n' })
    assert.equal("{\n  " .. ('"%s",\n  '):rep(3):format(("x"):rep(40), ("x"):rep(40),
      ("x"):rep(40)):sub(1, -5) .. "\n}",
      readable.value { ("x"):rep(40), ("x"):rep(40), ("x"):rep(40) })
  end)

  it("may hold itself, and be deep", function()
    local own = {}
    own.own = own
    assert.equal("{ own = { … } }", readable.value(own))
    local deep = {}
    for _ = 1, 100 do deep = { deep } end
    assert.matches("{ … }", readable.value(deep))
  end)
end)

describe("completion", function()
  local alicloud = require "alicloud"
  local client = alicloud.client { region = "cn-shanghai", access_key_id = "i",
    access_key_secret = "s" }
  local env = setmetatable({ ebs = client:service "ebs", client = client,
    r = { Groups = { { Status = "normal", Statistics = 1 } } } }, { __index = _G })

  local function words(line)
    local found, prefix = complete.candidates(env, line)
    return table.concat(found, " "), prefix
  end

  it("knows operations and methods", function()
    assert.equal("FailoverDiskReplicaGroup FailoverDiskReplicaPair", (words "ebs:FailoverDisk"))
    assert.equal("prepare", (words "x = ebs:pre"))
    assert.equal("start stats", (words "client:st"))
    assert.equal("format", (words "('x') and string.for"))
  end)

  it("knows every method and field that is declared of its objects", function()
    local own = setmetatable({ client = client, ebs = env.ebs, group = dr.group(client, "pg-1"),
      walk = dr.walk(dr.playbook("x", function() end), { client = client, journal = "/none/x" }),
      future = client:start "ebs:DescribeRegions" }, { __index = _G })
    for name, about in pairs {
      client = { "client/init", "Client" }, ebs = { "client/service", "Service" },
      future = { "client/future", "Future" }, group = { "dr/group", "Group" },
      run = { "dr/playbook/run", "Run" }, walk = { "dr/playbook/walk", "Walk" },
    } do
      local found, declared = {}, {}
      for _, word in ipairs((complete.candidates(own, name .. ":"))) do
        if word:find "^%l" then found[#found + 1] = word end
      end
      for _, one in ipairs(annotations.read(("lua/alicloud/%s.lua"):format(about[1])).functions) do
        declared[#declared + 1] = one.name:match("^" .. about[2] .. ":([%l_]+)$")
      end
      table.sort(declared)
      assert.is_true(#declared > 2, name)
      assert.same(declared, found, name)
    end
    own.future:cancel()
    assert.equal("differences loop mode product region runtime",
      table.concat((complete.candidates(own, "client.")), " "))
    assert.equal("spawn spawn_shared",
      table.concat((complete.candidates(own, "client.loop.sp")), " "))
    assert.equal("attempt direction", table.concat({ complete.candidates(own, "run.a")[1],
      complete.candidates(own, "run.d")[1] }, " "))
    for _, one in ipairs(annotations.read("lua/alicloud/dr/init.lua").functions) do
      local field = one.name:match "^M%.([%l_]+)$"
      if field then assert.equal(field, complete.candidates({ dr = dr }, "dr." .. field)[1]) end
    end
  end)

  it("knows operations, waiters and products in quotes", function()
    assert.equal("ReprotectDiskReplicaGroup ReprotectDiskReplicaPair",
      (words 'client:call("ebs:Reprotect'))
    assert.equal("DescribeRegions", (words 'client:start "DescribeReg'))
    assert.equal("ebs ecs", (words 'client:service "'))
    assert.equal("group_failovered", (words 'ebs:wait("group_f'))
  end)

  it("knows the parameters of the call that is open", function()
    assert.equal("ReplicaGroupId = ", (words "ebs:FailoverDiskReplicaGroup { Rep"))
    assert.equal("ReplicaGroupId = ",
      (words 'client:call("FailoverDiskReplicaGroup", { RegionId = "x", Rep'))
    assert.equal("Site = ", (words 'for g in ebs:each("DescribeDiskReplicaGroups", { Si'))
  end)

  it("knows the fields of an answer, and of what is there", function()
    assert.equal("Status", (words "ebs:DescribeDiskReplicaGroups {}.ReplicaGroups[1].Stat"))
    assert.equal("ReplicaGroups RequestId", (words "ebs:DescribeDiskReplicaGroups({}).Re"))
    assert.equal("Statistics Status", (words "print(r.Groups[1].Stat"))
  end)

  it("knows words, and nothing where there is nothing", function()
    assert.equal("repeat require return", (words "  re"))
    assert.equal("", (words "nobody.knows"))
    assert.equal("", (words "ebs:Nothing { X"))
    assert.equal("", (words "r.Groups[7].x"))
  end)

  it("masks the session token in what it shows, however it is asked for", function()
    local token = "CAISessionTokenCanary7Ue0FpY2oOq3Wb9ZrK1/x+y=="
    local function show_all(line)
      local ran = type_in({ line }, { env = { ALIBABA_CLOUD_ACCESS_KEY_ID = "key-id",
        ALIBABA_CLOUD_ACCESS_KEY_SECRET = "key-secret-canary",
        ALIBABA_CLOUD_SECURITY_TOKEN = token } })
      return ran.out .. ran.err
    end
    for _, line in ipairs { "ebs:prepare('DescribeDiskReplicaGroups', {})",
      "print(client:prepare('DescribeRegions', {}))",
      "p = ebs:prepare('DescribeRegions', {}); print(p.headers['x-acs-security-token'])",
      "p = ebs:prepare('DescribeRegions', {}); return p.canonical_request, p.string_to_sign",
      "error(ebs:prepare('DescribeRegions', {}).headers['x-acs-security-token'])",
      "core.sign { algorithm = 'hmac-sha1', method = 'POST', host = 'h', action = 'A', "
        .. "version = '1', access_key_id = 'i', access_key_secret = 's', security_token = '"
        .. token .. "' }",
      "{ sts_token = '" .. token .. "', AccessKeySecret = 'key-secret-canary' }",
      "_ = ebs:prepare('DescribeRegions', {}); return 'key-secret-canary'" } do
      local text = show_all(line)
      assert.is_true(#text > 3, line)
      for _, part in ipairs { "CAISession", "9ZrK1", "canary" } do
        assert.is_nil(text:find(part, 1, true), line .. "\n" .. text)
      end
    end
  end)
end)

describe("where the module readline is not", function()
  local searchers = package.searchers
  before_each(function()
    package.loaded.readline = nil
    package.searchers = { function(name)
      if name == "readline" then error "not here" end
      return "\n\tno " .. name
    end, table.unpack(searchers, 2) }
  end)
  after_each(function() package.searchers = searchers end)

  it("says once what to install, to whoever types", function()
    local ran = type_in({ "1", "2" }, { input_tty = true, tty = true })
    assert.equal(0, ran.code)
    assert.equal(1, select(2, ran.err:gsub("apt%-get install lua%-readline", "")), ran.err)
    assert.matches("\n> 1\n> 2\n", ran.out)
    assert.equal("", type_in({ "1" }).err)
    local setup = scratch.read ".ci/setup"
    assert.matches('\ndebian_setup="[^"]- lua%-readline ', setup)
  end)
end)

describe("a real terminal", function()
  if not pcall(require, "readline") then return pending "needs the Lua module readline" end

  it("has completion, a history without keys, and Ctrl-C that comes back", function()
    local emulator <close> = process.start_emulator()
    local home = scratch.directory()
    local output = process.talk(("exec env -u XDG_STATE_HOME HOME=%s TERM=dumb %s alicloud-dr repl")
      :format(home, emulator:environment()), {
      { "> $", [[ebs:FailoverDiskReplicaG\t]] },
      { "FailoverDiskReplicaGroup", [[\0256 * 7\nkey_secret = 1\n]]
        .. [[io.write("COM", "PUTES\\n") while true do end\n]] },
      { "COMPUTES", [[\003]] },
      { "> $", [["still " .. "here"\n]] },
      { "still here.*> $", [[\004]] },
    })
    local history = scratch.read(home .. "/.local/state/alicloud-dr/history")
    assert.matches("FailoverDiskReplicaGroup", output)
    assert.matches("\n42\n", output)
    assert.matches("\nstill here\n", output)
    assert.matches("6 %* 7\n", history)
    assert.not_matches("secret", history)
  end)
end)
