-- A journal that is moved: never in two places that could be gone on with, wherever it breaks off.

local core = require "alicloud.core"
local files = require "alicloud.dr.store.file"
local letters = require "alicloud.dr.store.letters"
local relocate = require "alicloud.dr.store.relocate"
local scratch = require "spec.scratch"
local trusted_files = require "alicloud.base.trusted_file"

local HOLDER = { owner = "ops", host = "here", pid = 4711, since = "2026-11-22T03:19:52Z" }

local function journal()
  local path = scratch.directory() .. "/run.jsonl"
  local store = assert(files.open(path))
  store:load()
  assert(store:append(1, "one\n", true))
  assert(store:append(2, "two\n", true))
  store:close()
  return path, scratch.directory()
end

describe("a journal", function()
  it("is moved whole, and its old place says where to", function()
    local path, to = journal()
    local target = assert(relocate.move(path, to))
    assert.equal(to .. "/run.jsonl", target)
    assert.equal("one\ntwo\n", files.read_trusted(target))
    assert.is_nil(core.look(path))
    assert.equal(target, relocate.moved_to(path))
    local err = relocate.moved_error(path)
    assert.equal("Client.JournalMoved", err.code)
    assert.matches("alicloud%-dr explain " .. target:gsub("%p", "%%%0"), err.hint)
    assert.is_nil(relocate.moved_to(target))
    local _, again = relocate.move(path, to)
    assert.equal("EEXIST", again.errno)
  end)

  it("is not moved while somebody runs it, nor onto another one", function()
    local path, to = journal()
    local store = assert(files.open(path))
    assert(store:lease("run", HOLDER))
    local _, err = relocate.move(path, to)
    assert.equal("Client.JournalLocked", err.code)
    store:close()
    assert.equal("one\ntwo\n", files.read_trusted(path))
    scratch.write(to .. "/run.jsonl", "another")
    _, err = relocate.move(path, to)
    assert.equal("EEXIST", err.errno)
    assert.equal("one\ntwo\n", files.read_trusted(path))
    _, err = relocate.move(path .. ".none", to)
    assert.equal("ENOENT", err.errno)
    _, err = relocate.move(path, to .. "/none")
    assert.equal("journal", err.kind)
  end)

  it("is moved by a second attempt where the first one broke off", function()
    -- Half of the copy was written.
    local path, to = journal()
    scratch.write(to .. "/run.jsonl.part", "on")
    assert.equal("one\ntwo\n", files.read_trusted(assert(relocate.move(path, to))))
    -- The old one has its other name, the copy has not its own yet.
    path, to = journal()
    scratch.write(to .. "/run.jsonl.part", "one\ntwo\n")
    assert(os.rename(path, relocate.moved_name(path)))
    assert.equal("", relocate.moved_to(path))
    assert.equal("one\ntwo\n", files.read_trusted(assert(relocate.move(path, to))))
    assert.is_nil(core.look(to .. "/run.jsonl.part"))
  end)

  it("takes along what was left for it, as far as that may give orders", function()
    local path, to = journal()
    local place = assert(trusted_files.place(path:match "^(.*)/"))
    assert(letters.post(path, place, "switch"))
    scratch.write(path .. ".mail.stranger", "forged\n")
    os.execute(("chmod 666 '%s.mail.stranger'"):format(path))
    local target = assert(relocate.move(path, to))
    local found = letters.read(target, assert(trusted_files.place(to)))
    assert.equal(1, #found)
    assert.same({ "switch" }, found[1].lines)
    assert.is_true(found[1].trusted)
  end)
end)
