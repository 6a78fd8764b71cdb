-- What is printed with --json, and each line of a journal, is JSON in UTF-8, whatever bytes have
-- come in, and says what happened.

local core = require "alicloud.core"
local desks = require "spec.cli.desk"
local json = require "alicloud.cli.json"
local scratch = require "spec.scratch"

-- No character, one that is cut, a surrogate, and a byte that goes on with nothing.
local BYTES = "\xff\xfe\xc3(\xed\xa0\x80\x80"
local SHOWN = "\u{fffd}\u{fffd}\u{fffd}(" .. ("\u{fffd}"):rep(4)

local function assert_valid(text)
  assert.is_truthy(utf8.len(text))
  for line in text:gmatch "[^\n]+" do assert.is_table(core.decode(line)) end
end

local function run(desk, ...)
  local ran = desk:run(...)
  assert_valid(ran.out)
  assert.not_equal("Client.Internal", (ran.object.error or {}).code, ran.out)
  return ran.object
end

describe("--json", function()
  it("bears any bytes in an argument", function()
    for _, words in ipairs { { BYTES }, { "status", "--" .. BYTES }, { "status", BYTES },
      { "status", "--region", BYTES }, { "plan", BYTES .. ".lua" }, { "verify", BYTES },
      { "explain", BYTES }, { "call", "DescribeRegions", "A=" .. BYTES, "--region", "cn-shanghai" },
      { "precheck", "pg", "--region", "cn-shanghai", "--no-proxy", BYTES } } do
      words[#words + 1] = "--json"
      run(desks.new(), table.unpack(words))
    end
  end)

  it("bears any bytes of the service, of a proxy and of a transport", function()
    local function answer(status, body)
      return function() return { status = status, headers = { date = BYTES }, body = body } end
    end
    for _, send in ipairs {
      answer(400, ('{"RequestId":"r","Code":"C@","Message":"@","AccessDeniedDetail":{"@":"@"}}')
        :gsub("@", BYTES)),
      answer(200, ('{"RequestId":"r@","ReplicaGroups":[{"ReplicaGroupId":"pg","Status":"@"}]}')
        :gsub("@", BYTES)),
      answer(502, "<html>" .. BYTES),
      function() return nil, { message = BYTES, sent = "no" } end,
      function() error(BYTES) end,
    } do
      local desk = desks.new { transport = { send = send } }
      run(desk, "status", "--region", "cn-shanghai", "--json")
      run(desk, "call", "DescribeRegions", "--region", "cn-shanghai", "--json")
    end
    local desk = desks.new { transport = { send = answer(403,
      '{"RequestId":"r","Code":"C","Message":"' .. BYTES .. '"}') } }
    local object = run(desk, "call", "DescribeRegions", "--region", "cn-shanghai", "--json")
    assert.equal(SHOWN, object.error.message)
  end)

  it("loses nothing for a value that JSON does not have", function()
    local cycle = {}
    cycle[1] = cycle
    local text = json.encode { a = 0 / 0, b = 1 / 0, c = print, d = { 1, x = 2 }, e = { [3] = 1 },
      ["\xfe"] = 1, ["\xff"] = 2, f = cycle, g = core.array {}, h = core.null, i = BYTES }
    assert_valid(text)
    local value = core.decode(text)
    assert.same({ "a function", { ["1"] = 1, x = 2 }, { ["3"] = 1 }, 1, 2, {}, SHOWN },
      { value.c, value.d, value.e, value["\\xfe"], value["\\xff"], value.g, value.i })
  end)
end)

describe("a playbook's bytes", function()
  local function room(body)
    local desk, file, directory = desks.room(([[
      local dr, errors = require "alicloud.dr", require "alicloud.base.error"
      local BYTES = %q
      return dr.playbook("p " .. BYTES, function(run)
        run:step("s", function() %s end)
        run:verify("v", function() return false, BYTES end)
      end)]]):format(BYTES, body))
    local odd = directory .. "/" .. BYTES .. ".lua"
    assert(os.rename(file, odd))
    return desk, odd, directory
  end

  for what, body in pairs {
    ["in an error"] = "error(BYTES, 0)",
    ["in an object that is raised"] = "error { code = BYTES, message = BYTES, [BYTES] = 0 / 0 }",
    ["in an error object with odd fields"] = [[return nil, errors.new { code = BYTES, hint = BYTES,
      kind = "api", message = BYTES, retry_after = 0 / 0, attempts = 1 / 0, forcible = "a",
      findings = { 5 }, request_ids = { 1, x = 2 } }]],
    ["in a result"] = "return { BYTES }",
  } do
    it(what .. " leave JSON and journal valid", function()
      local desk, file, directory = room(body)
      run(desk, "run", file, "--region", "cn-shanghai", "--yes", "--json")
      local path = assert(io.popen("ls -d '" .. directory .. "'/journals/*.jsonl")):read "l"
      local text = scratch.read(path)
      assert_valid(text)
      assert.is_truthy(text:find('"playbook":"p ' .. SHOWN, 1, true), text)
      for _, command in ipairs { "explain", "verify", "report" } do
        run(desk, command, path, command == "report" and "--format=json" or "--json")
      end
      run(desk, "runs", "--json")
    end)
  end

  it("are refused in the name of a step, which would not come back the same", function()
    local desk, file = desks.room(([[
      return require "alicloud.dr".playbook("p", function(run) run:step(%q, print) end)]])
      :format(BYTES))
    local object = run(desk, "run", file, "--region", "cn-shanghai", "--yes", "--json")
    assert.matches("step name: .*; allowed: 1 to 80 bytes of UTF%-8", core.encode(object))
  end)
end)
