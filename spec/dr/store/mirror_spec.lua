-- The copy of a run's journal on this machine, which notices that an older state of the store was
-- put back.

local benches = require "spec.dr.store.shared_bench"
local contract = require "spec.dr.store.contract"
local core = require "alicloud.core"
local mirrors = require "alicloud.dr.store.mirror"
local scratch = require "spec.scratch"

describe("the copy of a journal on this machine", function()
  local bench, path

  before_each(function()
    bench, path = benches.start(), scratch.path() .. "/copies/run.jsonl"
  end)

  local function begin()
    local store = bench.open("run", { mirror = path })
    assert(store:lease("run", contract.HOLDER))
    return store, store:load()
  end

  local function text_of(file_path)
    local file <close> = assert(io.open(file_path))
    return file:read "a"
  end

  it("has what the store has acknowledged", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    assert(store:append(2, "two\n", false))
    assert.equal("one\n", text_of(path))
    store:close()
    assert.equal("one\ntwo\n", text_of(path))
  end)

  it("takes over what other machines have written", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    store:close()
    local other = bench.open()
    assert(other:lease("run", contract.HOLDER))
    assert(other:load())
    assert(other:append(2, "two\n", true))
    other:close()
    local again, text = begin()
    assert.equal("one\ntwo\n", text)
    assert.equal("one\ntwo\n", text_of(path))
    again:close()
  end)

  local function restored()
    local store = begin()
    assert(store:append(1, "one\n", true))
    local backup = bench.world:backup()
    assert(store:append(2, "two\n", true))
    store:close()
    bench.world:restore(backup)
  end

  it("notices that a backup of the store was put back", function()
    restored()
    local _, text, err = begin()
    assert.is_nil(text)
    assert.equal("Client.JournalRolledBack", err.code)
    assert.equal("not_sent", err.outcome)
    assert.matches(path, err.message, 1, true)
    assert.equal("one\ntwo\n", text_of(path))
  end)

  it("notices that another one has gone on from a backup", function()
    restored()
    local other = bench.open()
    assert(other:lease("run", contract.HOLDER))
    assert.equal("one\n", other:load())
    assert(other:append(2, "another two\n", true))
    assert(other:append(3, "three\n", true))
    other:close()
    local _, text, err = begin()
    assert.is_nil(text)
    assert.equal("Client.JournalRolledBack", err.code)
  end)

  it("is needed for that: without it nothing shows it", function()
    restored()
    local other = bench.open()
    assert(other:lease("run", contract.HOLDER))
    assert.equal("one\n", other:load())
  end)

  it("is not needed by whoever meets it while he writes", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    local backup = bench.world:backup()
    assert(store:append(2, "two\n", true))
    local sessions, lock = bench.world.sessions, bench.world:entry "/dr/v1/runs/run/lock"
    bench.world:restore(backup)
    bench.world.sessions = sessions
    bench.world:put(lock.key, lock.value, lock.session)
    bench.world.entries[lock.key].created = lock.created
    local ok, err = store:append(3, "three\n", true)
    assert.is_nil(ok)
    assert.equal("Client.JournalRolledBack", err.code)
  end)

  it("may end in half a line, if the machine stopped then", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    assert(store:append(2, "two\n", true))
    store:close()
    local file = assert(core.open_file(path, "append"))
    assert(file:truncate(6))
    file:close()
    local again, text = begin()
    assert.equal("one\ntwo\n", text)
    assert.equal("one\ntwo\n", text_of(path))
    again:close()
  end)

  it("may end in zeros, if the machine crashed then", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    assert(store:append(2, "two\n", true))
    store:close()
    for _, torn in ipairs { "one\n\0\0\0\0", "one\ntw\0\0", "one\n\0\0\0\n",
      "\0\0\0\0two\n" } do
      local file <close> = assert(core.open_file(path, "append"))
      assert(file:truncate(0))
      assert(file:append(torn))
      local again, text = begin()
      assert.equal("one\ntwo\n", text)
      assert.equal("one\ntwo\n", text_of(path))
      again:close()
    end
  end)

  it("that cannot be written any more ends there, which is told once", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    local file = store.mirror.file
    store.mirror.file = { append = function()
      file:append "tw"
      return nil, path .. ": no space left on device"
    end, unlock = function() end, close = function() file:close() end }
    assert(store:append(2, "two\n", true))
    assert(store:append(3, "three\n", true))
    store:close()
    assert.equal(1, #bench.warnings)
    assert.matches("ends short.*no space left", bench.warnings[1])
    assert.equal("one\ntw", text_of(path))
    local again, text = begin()
    assert.equal(text, text_of(path))
    again:close()
  end)

  it("that cannot be cut to what is whole is compared, and not written", function()
    local store = begin()
    assert(store:append(1, "one\n", true))
    store:close()
    local mirror = assert(mirrors.open(path, bench.runtime.warn))
    mirror.file:append "tw"
    local file = mirror.file
    mirror.file = setmetatable({ truncate = function() return nil, "not permitted" end }, {
      __index = function(_, name)
        return function(_, ...) return file[name](file, ...) end
      end })
    assert.is_true(mirror:compare("run", "one\ntwo\n"))
    mirror:append "three\n"
    mirror:close()
    assert.equal("one\ntw", text_of(path))
    assert.equal(1, #bench.warnings)
  end)

  it("that cannot be kept is told, and nothing is held up", function()
    os.execute(("mkdir -p '%s' && chmod 700 '%s'"):format(path, path))
    local store, text = begin()
    assert.equal("", text)
    assert.equal(1, #bench.warnings)
    assert.is_true((store:append(1, "one\n", true)))
  end)
end)
