-- What a process without rights and the command say to each other: from the command's end with a
-- child that says whatever a spec wants, from the child's end with an owner that does.

local child_env = require "spec.core.confined"
local confine = require "alicloud.cli.confine"
local core = require "alicloud.core"
local modules = require "alicloud.cli.confine.modules"
local random = require "alicloud.simulation.random"
local reads = require "alicloud.cli.confine.reads"
local scratch = require "spec.scratch"
local seeds = require "alicloud.cli.confine.seeds"
local services = require "alicloud.service"

local HELD = { type = "confined", limits = true, no_new_privs = true, seccomp = true, landlock = 7,
  missing = core.array {} }

local function line(frame)
  return core.encode(frame) .. "\n"
end

-- A child that says these pieces, one at a time, and then ends, or is silent. It is on a system
-- whose clocks are shifted, those of computing too.
local function saying(pieces, ending)
  local child = { told = {}, closed = false, seconds = 400 * 86400 }
  function child.fd() return 0 end
  function child.receive()
    local piece = table.remove(pieces, 1)
    if piece or not ending then return piece or "" end
    return nil
  end
  function child.send(_, text)
    child.told[#child.told + 1] = core.decode(text, { max_bytes = 1 << 24 })
    return true
  end
  function child.ended() return ending end
  function child.computed() return child.seconds end
  function child.close() child.closed = true end
  return child
end

local function refuse_client() error "nobody may be asked" end

-- Starts a job over such a child and lets it say all that it has.
local function hear(pieces, given)
  given = given or {}
  local child, start = saying(pieces, given.ending), core.child
  core.child = function() return child end
  local ok, confined = pcall(confine.start, { entry = "x", job = {}, time = core.time,
    client = given.client or refuse_client, handlers = given.handlers, computing = 10 })
  core.child = start
  assert(ok, confined)
  for _ = 1, given.steps or #pieces + 1 do confined:step() end
  return confined, child
end

local function after_hello(...)
  return { line(HELD), ... }
end

describe("the command's end", function()
  it("gives a job to a child that is held, and takes its result", function()
    local confined, child = hear(after_hello(line { type = "result", value = { x = 1 } }))
    assert.same({ x = 1 }, confined.value)
    assert.is_nil(confined.failure)
    assert.equal("job", child.told[1].type)
    assert.is_true(child.closed)
  end)

  it("takes frames in any pieces", function()
    local text, pieces = line(HELD) .. line { type = "result", value = { x = "\n" } }, {}
    for byte in text:gmatch "." do pieces[#pieces + 1] = byte end
    pieces[#pieces + 1] = text:sub(#text)
    assert.same({ x = "\n" }, hear(pieces).value)
  end)

  it("ends a child that says what it may not say", function()
    local call = { type = "call", product = "ebs", action = "DescribeRegions", deadline = 1,
      version = "2021-07-30", params = {} }
    local function changed(changes)
      local frame = {}
      for name, value in pairs(call) do frame[name] = value end
      for name, value in pairs(changes) do frame[name] = value end
      return line(frame)
    end
    for said, words in pairs {
      ["\n"] = "", ["x\n"] = "", ["[]\n"] = "no type", ["1\n"] = "no type", ["{}\n"] = "no type",
      ['{"type":1}\n'] = "no type", ['{"type":"progress","type":"progress"}\n'] = "",
      ['{"type":"progress"} x\n'] = "", ["\255\254{\0}\0\n"] = "", ["\0\n"] = "",
      [line { type = "nonsense" }] = "a frame that is not expected: nonsense",
      [line(HELD)] = "a frame that is not expected: confined",
      [line { type = "job" }] = "not expected", [line { type = "answer" }] = "not expected",
      [line { type = "playbook", name = "x", declares = true }] = "not expected",
      [line { type = "seed", seed = 1 }] = "not expected",
      [line { type = "progress", more = 1 }] = 'unknown field "more"',
      [line { type = "result" }] = "field value is missing",
      [line { type = "result", value = 1 }] = "field value",
      [line { type = "failed", message = 1, refused = true }] = "field message",
      [line { type = "failed", message = "x" }] = "field refused is missing",
      [line { type = "module", name = {} }] = "field name",
      [line { type = "module", name = ("x"):rep(300) }] = "field name",
      [changed { mutating = false }] = 'unknown field "mutating"',
      [changed { params = "x" }] = "field params",
      [changed { params = { x = 1 } }] = "field params",
      [changed { params = { x = {} } }] = "field params", [changed { deadline = 0 }] = "deadline",
      [changed { params = core.array { "x" } }] = "field params",
      [changed { deadline = 1e9 }] = "deadline", [changed { region = {} }] = "field region",
      [changed { product = ("x"):rep(100) }] = "field product",
      [changed { params = { [("x"):rep(300)] = "y" } }] = "field params",
      [('['):rep(100) .. "\n"] = "", ['{"type":"result","value":' .. ("["):rep(50) .. "\n"] = "",
    } do
      local confined, child = hear(after_hello(said))
      assert.is_truthy(confined.failure, said)
      assert.equal(1, (confined.failure:find(confine.WRONG, 1, true)), said)
      assert.is_truthy(confined.failure:find(words, 1, true), confined.failure)
      assert.is_true(child.closed)
      assert.equal(1, #child.told)
    end
  end)

  it("believes nothing of a child that was not held first", function()
    for _, said in ipairs { line { type = "result", value = {} }, line { type = "progress" },
      line { type = "confined", limits = true }, "x\n" } do
      local confined, child = hear { said }
      assert.is_truthy(confined.failure, said)
      assert.same({}, child.told)
    end
  end)

  it("takes no line without an end", function()
    local pieces = after_hello()
    for _ = 1, 300 do pieces[#pieces + 1] = ("x"):rep(65536) end
    assert.matches("more than 16 MiB at once", hear(pieces).failure)
    assert.is_true(#pieces > 0)
  end)

  it("looks at the time while it is told without an end", function()
    local before = confine.PATIENCE
    confine.PATIENCE = 0
    local pieces = after_hello()
    for n = 2, 100 do pieces[n] = line { type = "progress" }:rep(100) end
    local confined = hear(pieces, { steps = 3 })
    confine.PATIENCE = before
    assert.matches("out of time", confined.failure)
    assert.is_true(#pieces > 90)
  end)

  it("ends a child of which nothing new is heard", function()
    for limit, pieces in pairs { SILENCE = after_hello(),
      PATIENCE = after_hello(line { type = "progress" }:rep(100)) } do
      local before = confine[limit]
      confine[limit] = 0
      local confined, child = hear(pieces)
      confine[limit] = before
      assert.matches("out of time %(it has told nothing new in 0 s of computing%)",
        confined.failure)
      assert.is_true(child.closed)
    end
  end)

  it("ends a child that goes on telling it so", function()
    local pieces, before = after_hello(), confine.PATIENCE
    for _ = 1, 9 do pieces[#pieces + 1] = line { type = "progress" } end
    confine.PATIENCE = 0
    local confined = hear(pieces)
    confine.PATIENCE = before
    assert.matches("out of time", confined.failure)
    assert.equal(9, #pieces)
  end)

  it("ends a child that tells more than a part of the job can need", function()
    local before = confine.FRAMES
    finally(function() confine.FRAMES = before end)
    confine.FRAMES = 20
    local function tell(kind)
      return hear(after_hello(line { type = kind }:rep(30)), { handlers = { part = { shape = {},
        advances = true, answer = function() return { type = "answered" } end } } })
    end
    assert.is_nil(tell "part".failure)
    assert.matches("nothing new in 20 messages%)", tell "progress".failure)
  end)

  -- After each step it has computed for so long, and as much time has passed.
  local function watch(given, steps, computes, lasts)
    local now, before = core.monotonic(), core.monotonic
    core.monotonic = function() return now end
    finally(function() core.monotonic = before end)
    local confined = hear(after_hello(), { handlers = given.handlers })
    for _ = 1, steps do
      now, confined.child.seconds = now + lasts, confined.child.seconds + computes
      confined.child.receive = function() return given.says or "" end
      confined:step()
    end
    core.monotonic = before
    return confined
  end

  it("takes only parts of the job that are done for getting on", function()
    local answered = { type = "answered" }
    for advances, words in pairs { [false] = "out of time", [true] = false } do
      local confined = watch({ says = line { type = "part" }, handlers = { part = { shape = {},
        advances = advances, answer = function() return answered end } } }, 100, 9, 9)
      if words then assert.matches(words, confined.failure) else assert.is_nil(confined.failure) end
    end
  end)

  it("waits for a child that the machine lets compute seldom, and ends one that hangs", function()
    local seldom = watch({}, 4, 0.5, 2.9)
    assert.is_nil(seldom.failure)
    -- One of six loops that share two processors is ended within ten seconds.
    assert.matches("out of time", watch({}, 10, 1 / 3, 1).failure)
    assert.matches("out of time", watch({}, 6, 1, 1).failure)
    assert.matches("out of time", watch({}, 2, 0, 10).failure)
  end)

  it("keeps little of what is told before its turn", function()
    local start, most, children = core.child, seeds.MOST_BYTES, {}
    local begin = { answer = function() return {} end }
    local ready = line { type = "ready" }
    local told = {}
    for n = 1, 10 do
      told[n] = line { type = "seed", seed = 10 + n, processes = 1, crashes = 0, requests = 0,
        effects = 0, met = {}, ending = ("x"):rep(1000) }
    end
    core.child = function()
      local words = #children == 0 and { ready } or { ready, table.unpack(told) }
      children[#children + 1] = saying(after_hello(table.unpack(words)))
      return children[#children]
    end
    seeds.MOST_BYTES = 5000
    local ok, report, confined = pcall(seeds.explore, { entry = "x", job = {}, time = core.time,
      io = { err = function() end } }, begin, { first = 1, seeds = 100, jobs = 2,
      progress = function() end })
    core.child, seeds.MOST_BYTES = start, most
    assert.is_true(ok, report)
    assert.is_nil(report)
    assert.matches("more of its seeds than can be kept", confined.failure)
    assert.is_true(children[1].closed and children[2].closed)
  end)

  it("says how a child ended that has no result", function()
    for words, ending in pairs { ["with exit code 3"] = { exit = 3 },
      ["out of time (limit 10 s of computing)"] = { signal = 24 },
      ["by signal 11"] = { signal = 11 }, ["with exit code 0"] = { exit = 0 } } do
      local confined = hear(after_hello '{"type":"resu', { ending = ending })
      assert.equal("the playbook's process ended: " .. words, confined.failure)
    end
    local confined = hear(after_hello(line { type = "failed", message = "not enough memory",
      refused = false }))
    assert.matches("out of memory %(limit 1024 MiB%)", confined.failure)
  end)

  it("counts calls, and ends a child that makes too many", function()
    local call = line { type = "call", product = "ebs", action = "Nothing", deadline = 1,
      version = "2021-07-30", params = {} }
    local confined = hear(after_hello(call:rep(20001)))
    assert.matches("more than 20000 calls", confined.failure)
    assert.equal(0, confined.calls)
  end)

  it("answers for modules with Lua text that is installed, and nothing else", function()
    local here = scratch.directory()
    scratch.write(here .. "/secret.lua", "return 'canary'")
    scratch.write(here .. "/code.lua", string.dump(function() end))
    local before = package.path
    package.path = here .. "/?.lua;" .. before
    finally(function() package.path = before end)
    assert.equal("return 'canary'", modules.answer "secret".text)
    assert.matches("^%-%-%- ", modules.answer "alicloud.dr.group".text)
    for _, name in ipairs { "code", "../secret", "/etc/passwd", "alicloud/base/error", "a..b",
      ".secret", "secret.", "", "%s", "secret\0", "secret;x", "alicloud.core" } do
      local answer = modules.answer(name)
      assert.is_nil(answer.text, name)
      assert.is_string(answer.missing)
    end
    package.path = "./lua/?.lua;lua/?.lua"
    assert.is_nil(modules.answer "alicloud.base.error".text)
  end)
end)

describe("what reads", function()
  it("is what the data of a product says, of its version, and gives no keys", function()
    local count = 0
    for _, product in ipairs { "ebs", "ecs", "sts" } do
      local data = services.data(product)
      for action, operation in pairs(data.operations) do
        local call = { product = product, action = action, version = data.version }
        local secret = action == "AssumeRole"
        assert.equal(not operation.mutating and not secret, reads.reads(call), action)
        call.version = "2014-05-27"
        assert.is_false(reads.reads(call))
        count = count + 1
      end
    end
    assert.is_true(count > 30)
    for _, product in ipairs { "rds", "ebs.shared", "common", "", "ebs\0" } do
      assert.is_false(reads.reads { product = product, action = "DescribeRegions",
        version = "2021-07-30" })
    end
    assert.is_false(reads.reads { product = "ebs", action = "DescribeEverything",
      version = "2021-07-30" })
  end)

  it("is asked with parameters as they were, and everything else is not sent", function()
    local asked
    local client = { call = function(_, action, params, options)
      asked = { action, params, options }
      return nil, { kind = "api", code = "X", message = "m", outcome = "rejected", secret = "s" }
    end }
    local function answer(action)
      return reads.answer(function() return client end, { product = "ebs", action = action,
        version = "2021-07-30", region = "cn-x", deadline = 3, params = { MaxResults = "9",
          ["Tag.1.Key"] = "a", ["Tag.2.Key"] = "b", ["Tag.99999999.Key"] = "d",
          ["Deep.Name"] = "c" } })
    end
    local reply, sent = answer "DescribeDiskReplicaGroups"
    assert.is_true(sent)
    assert.same({ err = { kind = "api", code = "X", message = "m", outcome = "rejected" } }, reply)
    assert.same({ "ebs:DescribeDiskReplicaGroups", { Tag = { { Key = "a" }, { Key = "b" },
      ["99999999"] = { Key = "d" } }, MaxResults = "9", Deep = { Name = "c" } },
      { region = "cn-x", deadline = 3 } }, asked)
    asked = nil
    for _, action in ipairs { "FailoverDiskReplicaGroup", "Foo", "__index" } do
      reply, sent = answer(action)
      assert.equal("Client.ObserveMode", reply.err.code)
      assert.equal("not_sent", reply.err.outcome)
      assert.is_false(sent)
    end
    assert.is_nil(asked)
  end)
end)

local function mutate(dice, text)
  local at = dice:between(1, #text)
  local how = dice:between(1, 6)
  if how == 1 then return text:sub(1, at - 1) .. text:sub(at + 1) end
  local byte = string.char(dice:between(0, 255))
  if how == 2 then return text:sub(1, at) .. byte .. text:sub(at + 1) end
  if how == 3 then return text:sub(1, at) .. "\n" .. text:sub(at + 1) end
  if how == 4 then return text .. text:sub(at) end
  if how == 5 then return (text:gsub("%d+", tostring(dice:between(-9, 9) * 1e300), 1)) end
  return (text:gsub('"%l+"', dice:pick { '"call"', '"result"', '"value"', "null", "{}", "[]" }, 1))
end

describe("frames at random", function()
  it("leave the command whole, and never make it change anything", function()
    local frames = { line { type = "progress" },
      line { type = "module", name = "alicloud.base.error" },
      line { type = "call", product = "ebs", action = "StopDiskReplicaGroup", deadline = 5,
        version = "2021-07-30", params = { ReplicaGroupId = "pg-1" } },
      line { type = "result", value = { steps = {} } },
      line { type = "failed", message = "x", refused = false } }
    local dice, over = random.new(20), 0
    for _ = 1, 4000 do
      local text = dice:pick(frames)
      for _ = 1, dice:between(1, 5) do text = mutate(dice, text) end
      local confined, child = hear(after_hello(text .. "\n"))
      if confined:is_over() then over = over + 1 end
      assert.is_true(confined:is_over() == child.closed)
      assert.equal(0, confined.calls)
    end
    assert.is_true(over > 3000)
  end)
end)

-- The process itself, with an owner that answers what a spec wants. It says something first, and
-- then waits for the next answer, or ends.
local function owned(answers, ends)
  local build = os.getenv "ALICLOUD_BUILD" or "build"
  local one <close> = assert(core.child { argv = { "lua5.4", "-E",
    "lua/alicloud/dr/playbook/confined.lua", build .. "/alicloud/core.so",
    build .. "/alicloud/confine.so", tostring(256 << 20), "5" }, env = child_env.environment() })
  for _, text in ipairs(answers) do
    if not one:send(text) then break end
  end
  local said = {}
  while core.poll(one:fd(), "r", (ends or #said == 0) and 60 or 0.3) do
    local bytes = one:receive(65536)
    if not bytes then break end
    said[#said + 1] = bytes
  end
  local ending
  for _ = 1, #said > 0 and one:receive(1) == nil and 6000 or 0 do
    ending = one:ended()
    if ending then break end
    core.poll(nil, "r", 0.01)
  end
  return ending, table.concat(said)
end

describe("the child's end", function()
  it("says first how it is held, and asks for modules alone", function()
    local ending, said = owned({ line { type = "job", entry = "somewhere" },
      line { type = "module", name = "x", missing = "nothing here" } }, true)
    assert.same({ exit = 0 }, ending)
    local first = core.decode(said:match "^[^\n]+")
    assert.equal("confined", first.type)
    assert.is_true(first.limits)
    assert.matches('"type":"module"', said)
  end)

  it("ends whatever it is answered", function()
    local dice = random.new(21)
    local answers = { line { type = "job", entry = "x", now = 1 }, "\n", "x\n", "{}\n", "[1,2]\n",
      line { type = "module", name = "x", path = "x", text = "return 1" },
      line { type = "module", name = "x", path = "x", text = "error {}" },
      line { type = "begin", region = "cn-x" } }
    for _ = 1, 25 do
      local list = {}
      for n = 1, dice:between(1, 4) do
        list[n] = dice:pick(answers)
        if dice:chance(0.7) then list[n] = mutate(dice, list[n]) .. "\n" end
      end
      local ending, said = owned(list)
      assert.same({ exit = 0 }, ending or { exit = 0 })
      assert.is_nil(said:find '"type":"result"', said)
    end
  end)
end)
