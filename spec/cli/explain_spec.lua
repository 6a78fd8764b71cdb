local assumptions = require "alicloud.cli.explain_assumption"
local desks = require "spec.cli.desk"

describe("alicloud-dr explain", function()
  local desk

  before_each(function() desk = desks.new() end)

  it("prints cause, knowledge, safety and the next commands", function()
    local ran = desk:run("explain", "RequestTimeout")
    assert.equal(0, ran.code)
    for _, words in ipairs { "cause", "known", "send again", "what to do", "next",
      "alicloud%-dr status GROUP", "33 operations" } do
      assert.matches(words, ran.out)
    end
    assert.equal("", ran.err)
  end)

  it("fits a terminal but for commands, and has a line for each text in a pipe", function()
    local piped = desk:run("explain", "OperationDenied.InvalidStatus").out
    local shown = desks.new { tty = true, columns = 60 }
      :run("explain", "OperationDenied.InvalidStatus").out
    assert.equal((piped:gsub("%s+", " ")), (shown:gsub("%s+", " ")))
    assert.matches("\n  what to do   read Status: [^\n]+ read StatusMessage\n", piped)
    for _, line in ipairs(desks.lines_of(shown)) do
      assert.is_true(utf8.len(line) <= 60 or line:find "   alicloud%-dr " ~= nil, line)
    end
  end)

  it("prints it as one JSON object", function()
    local ran = desk:run("explain", "Client.WorldChanged", "--json")
    assert.equal(0, ran.code)
    assert.equal("not_sent", ran.object.outcome)
    assert.equal(2, #ran.object.next)
    assert.equal(0, ran.object.exit)
  end)

  it("explains each assumption that a warning can name, and each of the emulator", function()
    for _, name in ipairs(assumptions.names()) do
      local ran = desk:run("explain", name)
      assert.equal(0, ran.code, name)
      assert.matches("^" .. name .. "\n  assumed      %u", ran.out)
      assert.matches("\n  next         alicloud%-dr [^\n]+\n               alicloud%-dr ", ran.out)
    end
    assert.matches('in emulator  "current"\n  or           "initial"\n',
      desk:run("explain", "site_direction").out)
    local json = desk:run("explain", "page_bounds", "--json").object
    assert.same({ "refuse", "clamp" }, json.values)
    assert.equal("page_bounds", json.assumption)
  end)

  it("refuses what it does not know, and lets no escape through", function()
    local ran = desk:run("explain", "Throtling")
    assert.equal(2, ran.code)
    assert.matches('did you mean "Throttling"', ran.err)
    assert.matches("; allowed: a code as errors print it, the name of an assumption, or the "
      .. "journal of a run", ran.err)
    assert.equal("", ran.out)
    assert.is_nil(desk:run("explain", "Throttling.\27[2J").out:find("\27", 1, true))
    assert.equal(2, desk:run("explain", "").code)
    assert.equal("usage", desk:run("explain", "Nope", "--json").object.error.kind)
  end)
end)
