--- A runtime table for `alicloud.client` on the model's clock: a wait of forty minutes takes no
-- time, and the same seed gives the same tokens and nonces. It reads nothing of the host.

local M = {}

---@param emu alicloud.emulator.Emulator
---@return table runtime  { time, monotonic, boottime, sleep, random, random_hex, getenv, read_file,
--- warn }
function M.new(emu)
  local function now() return emu:now() end
  return {
    time = function() return emu:now() - emu.skew end,
    monotonic = now,
    boottime = now,
    sleep = function(seconds) emu.clock:sleep(seconds) end,
    random = function() return emu.ids:random() end,
    random_hex = function(bytes) return emu.ids:random_hex(bytes) end,
    getenv = function() return nil end,
    read_file = function(path)
      return nil, ("%s: the emulator's runtime has no files"):format(path)
    end,
    warn = function() end,
  }
end

return M
