---@meta alicloud.confine

--- Confines the calling process before it runs code that nobody vouches for: it gives up its rights
--- for good, and talks with the process that started it (`core.child`) over descriptor 3. In a
--- confined process functions of `alicloud.core` and other modules that start a program or open a
--- file or socket fail at once; the kernel would refuse, too.
local confine = {}

---@class alicloud.confine.Options
---@field memory integer bytes of address space, 16 MiB to 1 GiB
---@field cpu? integer seconds of CPU time since the process started, 1 to 86400; then signal 24
--- (SIGXCPU) ends it (nil: no limit)

---@class alicloud.confine.Reached
---@field limits true no further descriptor or process, no bytes into files, no core dump, and the
--- limit of memory where the system has one
---@field no_new_privs boolean programs give it no rights, it ends with its parent, no process may
--- inspect it
---@field seccomp boolean system calls outside a short list fail with EPERM
---@field landlock integer|false version of the kernel's Landlock; all rights that it rules are gone
---@field missing string[] mechanisms that this system lacks, and why, in words for a person

--- Closes all descriptors beyond 3 and confines this process. Raises if it is confined already or
--- descriptor 3 is no socket, and if a mechanism that the system has fails: then it must end.
---@param options alicloud.confine.Options
---@return alicloud.confine.Reached
function confine.enter(options) end

--- Sends the whole text, and waits as long as that takes.
---@param text string
---@return true|nil ok
---@return string? message
function confine.send(text) end

--- Waits for bytes from the parent.
---@return string? bytes at least one, nil when the parent has closed its end
function confine.receive() end

return confine
