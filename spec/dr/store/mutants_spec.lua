-- Deliberate mistakes in the shared store and what it stands on: each is noticed by what the store
-- has to do in one of a few scenes, which go well without it.

local mutated = require "spec.simulation.mutated"
local scenes = require "spec.dr.store.scenes"

local COMMIT, LOCK = "alicloud.dr.store.shared.commit", "alicloud.dr.store.shared.lock"
local SUPPORT, INDEX = "alicloud.dr.store.shared.support", "alicloud.dr.store.shared.index"
local SHARED, SESSION = "alicloud.dr.store.shared", "alicloud.dr.store.session"
local ETCD, GATEWAY = "alicloud.dr.store.etcd", "alicloud.dr.store.gateway"
local MIRROR = "alicloud.dr.store.mirror"

local function mutant(name, scene, module, place, value, has)
  return { name = name, scene = scene, has = has,
    edits = { { module = module, name = place, value = value } } }
end

-- Edits a call of the keys that a function makes.
local function with_txn(change)
  return ([[function(keys, batch)
    local own = setmetatable({ txn = function(_, given)
      %s
      return keys:txn(given)
    end }, { __index = keys })
    return original(own, batch)
  end]]):format(change)
end

local NOTHING, TRUE = "function() end", "function() return true end"

local MUTANTS = {
  mutant("records are put over what is there", "conflict", COMMIT, "in_one",
    with_txn "table.remove(given.when, 2)"),
  mutant("records are put over what is there, one by one", "conflict", COMMIT, "one_by_one",
    [[function(keys, batch)
      for _, record in ipairs(batch.records) do
        if not keys:create(record.key, record.text) then
          keys:swap(record.key, record.text, keys:get(record.key).version)
        end
      end
      return true
    end]], { txn = false }),
  mutant("the lock is not compared", "expired", COMMIT, "in_one",
    with_txn "table.remove(given.when, 1)"),
  mutant("the lock is not compared, one by one", "overtaken", COMMIT, "one_by_one",
    [[function(keys, batch)
      for _, record in ipairs(batch.records) do
        local made, there = keys:create(record.key, record.text)
        if made == false and there.value ~= record.text then return true end
      end
      return true
    end]], { txn = false }),
  mutant("a lost answer is a failure", "lost_answer", SUPPORT, "M.persist",
    "function(_, ask) return ask() end"),
  mutant("an earlier try is taken for somebody else's", "lost_answer", COMMIT, "M.try",
    [[function(keys, batch)
      local ended, found = original(keys, batch)
      local lost = ended == "done" and batch.tried
      batch.tried = true
      if lost then return "conflict", {} end
      return ended, found
    end]]),
  mutant("a refusal is a success", "expired", COMMIT, "M.try",
    [[function(...)
      local ended, found = original(...)
      if ended == "lost" then return "done" end
      return ended, found
    end]]),
  mutant("an own lock is taken for somebody else's", "lost_lock", LOCK, "claim",
    [[function(store, session, name, key, value)
      session.locks[key] = true
      local entry, err = original(store, session, name, key, value)
      return entry, err
    end]]),
  mutant("another one's lock is taken for the own", "lost_lock", LOCK, "claim",
    [[function(store, session, name, key, value)
      local entry, err = original(store, session, name, key, value)
      if entry then return entry, err end
      return store.keys:get(key)
    end]]),
  mutant("the lease's id is taken for the fence", "fences", LOCK, "M.take",
    [[function(store, ...)
      local lease, err = original(store, ...)
      if lease then
        lease.fence = math.tointeger(tonumber(store.session.id))
        store.fence = store.session.id
      end
      return lease, err
    end]]),
  mutant("the window begins with the answer", "window", SHARED, "Store:append",
    [[function(self, ...)
      local ok, send_by = original(self, ...)
      return ok, ok and send_by and self.runtime.boottime() + 4 or send_by
    end]]),
  mutant("the window outlives the session", "window", SHARED, "Store:append",
    [[function(self, ...)
      local before = self.session.held_until
      self.session.held_until = math.huge
      local ok, send_by = original(self, ...)
      self.session.held_until = before
      return ok, send_by
    end]]),
  mutant("the clock stands still while the machine sleeps", "asleep", SESSION, "M.open",
    [[function(keys, options)
      local runtime = setmetatable({ boottime = options.runtime.monotonic },
        { __index = options.runtime })
      return original(keys, setmetatable({ runtime = runtime }, { __index = options }))
    end]]),
  mutant("a renewal counts from its answer", "late_renewals", SESSION, "renew",
    [[function(session)
      local known, err = original(session)
      if known then session.held_until = session.runtime.boottime() + session.ttl - 1 end
      return known, err
    end]]),
  mutant("it is held as long as the store may hold it", "unreachable", SESSION, "MARGIN", "0"),
  mutant("nobody renews", "lives", SESSION, "renew", TRUE),
  mutant("what is gone is taken for no answer", "gone", SESSION, "lose", NOTHING),
  mutant("what waits is dropped at the end", "closed", SHARED, "settle", TRUE),
  mutant("the lock is left to its end", "closed", SESSION, "Session:close", NOTHING),
  mutant("the copy is not compared", "restored", MIRROR, "Mirror:compare", TRUE),
  mutant("the copy is not written", "restored", MIRROR, "Mirror:append", NOTHING),
  mutant("the cluster is not compared", "other_cluster", INDEX, "fault_of", NOTHING),
  mutant("pages end with the first one", "pages", SUPPORT, "M.persist",
    [[function(...)
      local done, more = original(...)
      return done, more ~= true and more
    end]]),
  mutant("the account is not part of a lock", "accounts", LOCK, "key_of",
    [[function(store, name) return original(store, name, {}) end]]),
  mutant("a group has a lock at each of its sides", "accounts", LOCK, "key_of",
    [[function(store, name, holder) return original(store, name, holder) .. store.run end]]),
  mutant("one process does not exclude itself", "one_session", LOCK, "claim",
    [[function(store, session, name, key, value)
      session.locks[key] = nil
      return original(store, session, name, key, value)
    end]]),
  mutant("a comparison has no target", "comparisons", ETCD, "compare",
    [[function(condition)
      local made = original(condition)
      made.target = nil
      return made
    end]]),
  mutant("a comparison has no result", "comparisons", ETCD, "compare",
    [[function(condition)
      local made = original(condition)
      made.result = nil
      return made
    end]]),
  mutant("reads are serializable", "reads", ETCD, "range",
    [[function(key)
      local made = original(key)
      made.request_range.serializable = true
      return made
    end]]),
  mutant("reads of a key are serializable", "reads", ETCD, "Keys:get",
    [[function(self, key)
      return self.gateway:ask("kv/range", { key = key, serializable = true })
    end]]),
  mutant("a deposed leader confirms", "deposed", GATEWAY, "judge_header", NOTHING),
  mutant("a restored store is the same", "backwards", GATEWAY, "judge_header", NOTHING),
}

describe("a shared store", function()
  for name, scene in pairs(scenes) do
    it("does what it has to: " .. name, function() scene() end)
  end

  for _, each in ipairs(MUTANTS) do
    it("is seen to be wrong: " .. each.name, function()
      scenes[each.scene](each.has)
      local ok = mutated.with(each.edits, function()
        return (pcall(scenes[each.scene], each.has))
      end)
      assert.is_false(ok)
    end)
  end
end)
