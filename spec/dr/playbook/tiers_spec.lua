-- Tiers of a fleet: how they are typed, and whom a pattern takes.

local tiers = require "alicloud.dr.playbook.tiers"

local function said(value)
  local list, message = tiers.read(value)
  if not list then return message end
  local parts = {}
  for i, entry in ipairs(list) do parts[i] = ("%d %s"):format(entry.tier, entry.pattern) end
  return table.concat(parts, " | ")
end

describe("tiers", function()
  it("are typed with commas, several times, or as lines of a file", function()
    for _, value in ipairs { "1:db-*,2:app-*", " 1 : db-* , 2:app-*", { "1:db-*", "2:app-*" },
      { "1:db-*,2:app-*" }, "# first\n1 db-*\r\n\n  2:app-*", "\u{FEFF}1\tdb-*\n2 app-*\n",
      "1 db-*  # these first\r\n\t# and then\n2 app-*\t#\n" } do
      assert.equal("1 db-* | 2 app-*", said(value))
    end
    assert.equal("1 订单, 旧 | 7 a b", said "1 订单, 旧\n7 a b\n")
    assert.equal("1 a#b", said "1 a#b\n")
  end)

  it("are refused with the line and what is allowed", function()
    local allowed = "; allowed: a number from 1 to 1000 and a pattern, e.g. 1:db-*"
    for value, message in pairs {
      ["1:db-*,app-*"] = 'got "app-*"' .. allowed, ["0:db-*"] = 'got "0:db-*"' .. allowed,
      ["1:"] = 'got "1:"' .. allowed, ["1001:x"] = 'got "1001:x"' .. allowed,
      ["1:a,"] = 'got "" (empty string)' .. allowed,
      ["1 db-*\nx app\n"] = 'line 2: got "x app"' .. allowed,
      ["# nothing\n"] = "has no tier; allowed: " .. tiers.ALLOWED,
    } do
      assert.equal(message, said(value))
    end
    assert.is_nil((tiers.read(5)))
    assert.is_nil((tiers.read { 5 }))
  end)

  it("take a group by its id or its name, the first pattern that does", function()
    local list = tiers.read "2:pg-7,1:db-*,3:*-订单-*,4:a*b*c"
    local function of(id, name)
      local entry = tiers.of(list, id, name)
      return entry and entry.tier
    end
    assert.equal(2, of("pg-7", "db-orders"))
    assert.equal(1, of("pg-8", "db-orders"))
    assert.equal(1, of "db-")
    assert.equal(3, of("pg-9", "华东-订单-01"))
    assert.equal(4, of "abc")
    assert.equal(4, of "a.b.b.c")
    for _, id in ipairs { "xdb-1", "ac", "acb", "pg-70", "DB-1" } do assert.is_nil(of(id), id) end
    local narrow = tiers.read "1:ab*ba"
    assert.is_nil(tiers.of(narrow, "aba"))
    assert.is_table(tiers.of(narrow, "abba"))
    assert.is_table(tiers.of(tiers.read "1:*", ""))
    assert.is_nil(tiers.of(tiers.read "1:%a*", "aa"))
  end)
end)
