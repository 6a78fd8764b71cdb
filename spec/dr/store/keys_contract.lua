-- What a shared store needs of an engine, held against any of them: one body, run over keys in
-- memory and over etcd.

local assert = require "luassert"
local busted = require "busted"

local describe, it = busted.describe, busted.it

local M = {}

---@class spec.KeyBench
---@field open fun(name: string): alicloud.dr.Keys a way into one and the same store, which may hold
--- keys of others outside of `prefix`
---@field prefix string nobody else's
---@field pass? fun(seconds: number) lets the store's time pass, where the spec has a clock

local function keys_of(list)
  local names = {}
  for i, entry in ipairs(list) do names[i] = entry.key end
  return names
end

local function entry_matches(expected, entry)
  for name, value in pairs(expected) do assert.equal(value, entry[name], name) end
  assert.is_string(entry.version)
  assert.is_string(entry.created)
  assert.matches("^%d+$", entry.created)
end

local BINARY = "\0\1\255/%\n\r\"\\ \u{e9}"

local function check_primitives(start)
  it("tells an absent key from an empty value", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. "a"
    assert.is_false((keys:get(key)))
    entry_matches({ key = key, value = "" }, assert(keys:create(key, "")))
    entry_matches({ key = key, value = "" }, assert(keys:get(key)))
  end)

  it("keeps every byte of keys and values", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. BINARY
    assert(keys:create(key, BINARY))
    entry_matches({ key = key, value = BINARY }, assert(keys:get(key)))
    local list = assert(keys:list(bench.prefix))
    entry_matches({ key = key, value = BINARY }, list[1])
  end)

  it("creates a key once, whoever does", function()
    local bench <close> = start()
    local one, two, key = bench.open "one", bench.open "two", bench.prefix .. "a"
    local made = assert(one:create(key, "first"))
    local again, other = two:create(key, "second")
    assert.is_false(again)
    entry_matches({ key = key, value = "first", created = made.created }, other)
    again, other = one:create(key, "first")
    assert.is_false(again)
    assert.equal(made.version, other.version)
  end)

  it("gives numbers of making that grow over all keys", function()
    local bench <close> = start()
    local keys = bench.open "one"
    local first = assert(keys:create(bench.prefix .. "b", "1"))
    local second = assert(keys:create(bench.prefix .. "a", "2"))
    assert(keys:drop(first.key, first.version))
    local third = assert(keys:create(first.key, "3"))
    assert.is_true(tonumber(first.created) < tonumber(second.created))
    assert.is_true(tonumber(second.created) < tonumber(third.created))
  end)

  it("swaps only what has not changed", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. "a"
    local none, nothing = keys:swap(key, "x", "1")
    assert.is_false(none)
    assert.is_falsy(nothing)
    local made = assert(keys:create(key, "1"))
    local swapped = assert(keys:swap(key, "2", made.version))
    entry_matches({ value = "2", created = made.created }, swapped)
    assert.are_not.equal(made.version, swapped.version)
    local late, other = keys:swap(key, "3", made.version)
    assert.is_false(late)
    entry_matches({ value = "2", version = swapped.version }, other)
  end)

  it("drops only what has not changed, and an absent key at once", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. "a"
    local made = assert(keys:create(key, "1"))
    local swapped = assert(keys:swap(key, "2", made.version))
    local late, other = keys:drop(key, made.version)
    assert.is_false(late)
    assert.equal("2", other.value)
    assert.is_true((keys:drop(key, swapped.version)))
    assert.is_true((keys:drop(key, swapped.version)))
    assert.is_false((keys:get(key)))
  end)

  it("swaps nothing that was dropped and made anew", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. "a"
    local made = assert(keys:create(key, "same"))
    assert(keys:drop(key, made.version))
    assert(keys:create(key, "same"))
    assert.is_false((keys:swap(key, "mine", made.version)))
    assert.is_false((keys:drop(key, made.version)))
  end)
end

local function check_lists(start)
  it("lists in the order of bytes, within the prefix", function()
    local bench <close> = start()
    local keys, prefix = bench.open "one", bench.prefix
    for _, name in ipairs { "r/10", "r/2", "r/\255", "q", "s", "r", "r/" } do
      assert(keys:create(prefix .. name, name))
    end
    local list, more = keys:list(prefix .. "r/")
    assert.is_false(more)
    assert.same({ prefix .. "r/", prefix .. "r/10", prefix .. "r/2", prefix .. "r/\255" },
      keys_of(list))
    assert.same({}, (keys:list(prefix .. "nothing")))
  end)

  it("lists in pages, behind a key that need not be there", function()
    local bench <close> = start()
    local keys, prefix, seen = bench.open "one", bench.prefix, {}
    for i = 1, 5 do assert(keys:create(("%sk%d"):format(prefix, i), tostring(i))) end
    local after
    repeat
      local page, more = keys:list(prefix, after, 2)
      for _, entry in ipairs(assert(page)) do seen[#seen + 1] = entry.value end
      after = page[#page].key
    until not more
    assert.same({ "1", "2", "3", "4", "5" }, seen)
    local rest, none = keys:list(prefix, prefix .. "k3x", 2)
    assert.same({ prefix .. "k4", prefix .. "k5" }, keys_of(rest))
    assert.is_false(none)
    assert.same({}, (keys:list(prefix, prefix .. "k5")))
  end)
end

-- Each condition is seen to hold and to fail: one that is written wrongly may always hold.
local function check_conditions(start)
  it("tells what has changed from what was made anew", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. "a"
    local made = assert(keys:create(key, "1"))
    local swapped = assert(keys:swap(key, "2", made.version))
    local function holds(condition)
      return (keys:txn { when = { condition }, put = { { key = key .. "x", value = "" } } })
    end
    assert.is_true(holds { key = key, created = made.created })
    assert.is_false(holds { key = key, version = made.version })
    assert.is_true(holds { key = key, version = swapped.version })
  end)

  it("looks at every condition of a transaction", function()
    local bench <close> = start()
    local keys, prefix = bench.open "one", bench.prefix
    local here, gone = prefix .. "here", prefix .. "gone"
    local made = assert(keys:create(here, "1"))
    local other = tostring(math.tointeger(made.created) - 1)
    local wrong = {
      { key = here, absent = true }, { key = gone, present = true },
      { key = here, created = other }, { key = gone, created = made.created },
      { key = here, created = "0" }, { key = here, version = other },
      { key = gone, version = made.version },
    }
    for i, condition in ipairs(wrong) do
      for _, when in ipairs { { condition }, { { key = here, present = true }, condition } } do
        local ok, found = keys:txn { when = when, put = { { key = prefix .. "x", value = "x" } },
          drop = { here }, read = { here, gone } }
        assert.is_false(ok, "condition " .. i)
        assert.equal("1", found[here].value)
        assert.equal(made.created, found[here].created)
        assert.is_nil(found[gone])
      end
    end
    assert.is_false((keys:get(prefix .. "x")))
    assert(keys:txn { when = { { key = here, present = true }, { key = gone, absent = true },
      { key = here, created = made.created }, { key = here, version = made.version } },
      put = { { key = prefix .. "x", value = "x" } } })
    assert.equal("x", keys:get(prefix .. "x").value)
  end)
end

local function check_transactions(start)
  check_conditions(start)

  it("does all of a transaction under one number", function()
    local bench <close> = start()
    local keys, prefix = bench.open "one", bench.prefix
    local old = assert(keys:create(prefix .. "old", "1"))
    local ok, done = keys:txn { when = { { key = old.key, created = old.created } },
      put = { { key = prefix .. "a", value = "a" }, { key = prefix .. "b", value = BINARY } },
      drop = { old.key, prefix .. "never" } }
    assert.is_true(ok)
    assert.is_false((keys:get(old.key)))
    local first, second = keys:get(prefix .. "a"), keys:get(prefix .. "b")
    assert.equal(done.revision, first.created)
    assert.equal(done.revision, second.created)
    assert.equal(BINARY, second.value)
  end)

  it("refuses a transaction without an effect of it", function()
    local bench <close> = start()
    local keys, prefix = bench.open "one", bench.prefix
    local ok, err = keys:txn { when = { { key = prefix .. "a", absent = true } },
      put = { { key = prefix .. "a", value = "1" }, { key = prefix .. "a", value = "2" } } }
    assert.is_nil(ok)
    assert.equal("rejected", err.outcome)
    assert.same({}, (keys:list(prefix)))
  end)
end

local function check_sessions(start, has_txn)
  it("takes the keys of a session along when it ends", function()
    local bench <close> = start()
    local one, two, prefix = bench.open "one", bench.open "two", bench.prefix
    local session = assert(one:session(15))
    assert.is_true(session.ttl >= 15)
    local made = assert(one:create(prefix .. "a", "1", session.id))
    assert.equal(session.id, made.session)
    assert.equal(session.id, two:get(prefix .. "a").session)
    assert(one:create(prefix .. "b", "2"))
    local swapped = assert(one:swap(prefix .. "b", "3", one:get(prefix .. "b").version, session.id))
    assert.equal(session.id, swapped.session)
    assert(one:create(prefix .. "c", "4"))
    assert.is_true((one:revoke(session.id)))
    assert.same({ prefix .. "c" }, keys_of(two:list(prefix)))
    assert.is_true((one:revoke(session.id)))
  end)

  it("tells a living session from one that is gone", function()
    local bench <close> = start()
    local one, two = bench.open "one", bench.open "two"
    local session = assert(one:session(15))
    assert.is_true(assert(one:renew(session.id)) >= 15)
    local left = assert(two:left(session.id))
    assert.is_true(left > 5 and left <= session.ttl, left)
    assert(two:revoke(session.id))
    assert.is_false((one:renew(session.id)))
    assert.is_false((one:left(session.id)))
  end)

  it("writes nothing with a session that is gone", function()
    local bench <close> = start()
    local keys, key = bench.open "one", bench.prefix .. "a"
    local session = assert(keys:session(15))
    assert(keys:revoke(session.id))
    local made, err = keys:create(key, "1", session.id)
    assert.is_nil(made)
    assert.equal("rejected", err.outcome)
    assert.equal("Client.JournalLost", err.code)
    if has_txn then
      made, err = keys:txn { when = {}, put = { { key = key, value = "1", session = session.id } } }
      assert.is_nil(made)
      assert.same({ "rejected", "Client.JournalLost" }, { err.outcome, err.code })
    end
    assert.is_false((keys:get(key)))
  end)

  it("gives each process a session of its own", function()
    local bench <close> = start()
    local one, two = bench.open "one", bench.open "two"
    local first, second = assert(one:session(15)), assert(two:session(15))
    assert.are_not.equal(first.id, second.id)
    assert(one:create(bench.prefix .. "a", "1", first.id))
    assert(two:revoke(second.id))
    assert(two:get(bench.prefix .. "a"))
  end)
end

local function check_time(start)
  it("ends a session that nobody renews, and no other", function()
    local bench <close> = start()
    local keys, prefix = bench.open "one", bench.prefix
    local kept, left = assert(keys:session(15)), assert(keys:session(15))
    assert(keys:create(prefix .. "kept", "", kept.id))
    assert(keys:create(prefix .. "left", "", left.id))
    bench.pass(10)
    assert(keys:renew(kept.id))
    bench.pass(10)
    assert.same({ prefix .. "kept" }, keys_of(keys:list(prefix)))
    assert.is_false((keys:renew(left.id)))
    assert.is_true(keys:left(kept.id) <= 5)
  end)
end

--- Holds an engine against the contract.
---@param title string
---@param start fun(): spec.KeyBench closed at the end
---@param has { txn: boolean, sessions: boolean, clock?: boolean } what it offers, and whether the
---spec commands its time
function M.check(title, start, has)
  describe(title, function()
    check_primitives(start)
    check_lists(start)
    if has.txn then check_transactions(start) end
    if has.sessions then check_sessions(start, has.txn) end
    if has.sessions and has.clock then check_time(start) end

    it("says whether it takes writes, which store it is, and what it offers", function()
      local bench <close> = start()
      local one, two = bench.open "one", bench.open "two"
      assert.is_true((one:probe()))
      assert.is_string(one.name)
      assert.matches(".", (assert(one:cluster())))
      assert.equal(one:cluster(), two:cluster())
      assert.equal(has.txn, one.txn and true or false)
      assert.equal(has.sessions, one.session and true or false)
      one:close()
      assert.is_true((two:probe()))
    end)
  end)
end

return M
