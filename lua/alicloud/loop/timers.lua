--- A queue of timers: a binary heap by due time, and by age where two are due at once.

local M = {}

---@class alicloud.loop.Timers
---@field add fun(due: number, item: any)
---@field next fun(): number? due time of the first item; nil: none
---@field take fun(now: number): any? takes out the first item that is due
---@field retired fun() is told that an item has become stale without having been taken

-- So few stale items cost less than making the heap anew.
local FEW = 64

local function before(left, right)
  if left.due ~= right.due then return left.due < right.due end
  return left.age < right.age
end

local function rise(heap, i)
  local entry = heap[i]
  while i > 1 do
    local parent = i // 2
    if not before(entry, heap[parent]) then break end
    heap[i] = heap[parent]
    i = parent
  end
  heap[i] = entry
end

local function sink(heap, i)
  local entry, n = heap[i], #heap
  while true do
    local child = 2 * i
    if child > n then break end
    if child < n and before(heap[child + 1], heap[child]) then child = child + 1 end
    if not before(heap[child], entry) then break end
    heap[i] = heap[child]
    i = child
  end
  heap[i] = entry
end

local function remove_first(heap)
  local first, last = heap[1], table.remove(heap)
  if first ~= last then
    heap[1] = last
    sink(heap, 1)
  end
  return first
end

local function without_stale(heap, is_stale)
  local kept = {}
  for _, entry in ipairs(heap) do
    if not is_stale(entry.item) then kept[#kept + 1] = entry end
  end
  for i = #kept // 2, 1, -1 do sink(kept, i) end
  return kept
end

---@param is_stale fun(item: any): boolean whether nobody waits for an item any more
---@return alicloud.loop.Timers
function M.new(is_stale)
  local heap, age, stale = {}, 0, 0
  local timers = {}

  local function first()
    while heap[1] and is_stale(heap[1].item) do
      remove_first(heap)
      stale = math.max(stale - 1, 0)
    end
    return heap[1]
  end

  function timers.add(due, item)
    age = age + 1
    -- Making a table may run a finalizer, which may add a timer: so the place is counted after it.
    local entry = { due = due, age = age, item = item }
    heap[#heap + 1] = entry
    rise(heap, #heap)
  end

  function timers.next()
    local entry = first()
    return entry and entry.due
  end

  function timers.take(now)
    local entry = first()
    if entry and entry.due <= now then return remove_first(heap).item end
  end

  -- Most calls end long before their deadline: their stale timers would fill the heap.
  function timers.retired()
    stale = stale + 1
    if stale < FEW or 2 * stale < #heap then return end
    heap, stale = without_stale(heap, is_stale), 0
  end

  return timers
end

return M
