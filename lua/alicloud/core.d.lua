---@meta alicloud.core
-- Declarations of the functions of the C module for language servers. Never loaded. What they take
-- and give is declared in core_objects.d.lua.

---@class alicloud.core
---@field null userdata JSON null; `tostring` is "null"
---@field version { core: string, build: string, openssl: string, cjson: string, lua: string }
local core = {}

---Signs a request. Pure: clock, nonce and secret are inputs. Raises on misuse, and where a part of
---the request is larger than 4 MiB. White space and line ends around what travels in a header field
---(also the token, key id, nonce, host, action, version) are left out of what is signed and sent, as
---a server does before it verifies; control characters inside are refused.
---Source: help.aliyun.com/document_detail/2593177.html (ACS3), 25490.htm (HMAC-SHA1).
---@param request alicloud.SignRequest
---@return alicloud.Signed
---@nodiscard
function core.sign(request) end

---Makes a signer; what is given here is read and checked once.
---@param kind alicloud.SignKind
---@return alicloud.Signer sign the date is in unix seconds; `headers` come to those of the kind
---@nodiscard
function core.signer(kind) end

---Judges an exchange: a result only for a complete 2xx JSON object with a RequestId, rejected only
---for a 4xx (never 408 or 499) with a Code and a RequestId in complete JSON or XML. A RequestId is
---a text that is not blank; a whole number as Code counts as its digits. All texts are UTF-8.
---@param exchange alicloud.Exchange|alicloud.Op an operation that is done is read where it lies
---@param options? alicloud.ReadOptions|alicloud.SignedRequest what was signed
---@return table? result
---@return alicloud.ReadInfo|alicloud.ReadFields info
---@nodiscard
function core.read(exchange, options) end

---Opens a regular file, never through a link.
---@param path string
---@param how "read"|"append"|"create" append creates it if need be, create demands that it is new
---@param mode? integer of a new one, whatever the umask (0600)
---@return alicloud.File|nil file
---@return string? message
---@return string? code "ENOENT", "EEXIST", …
function core.open_file(path, how, mode) end

---Opens a file, to whose end it writes and which it makes if need be (mode 0600), a FIFO that
---somebody reads from, or a copy of a descriptor.
---@param where string|integer a path or a descriptor
---@return alicloud.Sink|nil sink
---@return string? message
---@return string? code "ENXIO" for a FIFO that nobody reads from
function core.open_sink(where) end

---The whole path of what is there, without links.
---@param path string
---@return string|nil path
---@return string? message
---@return string? code
function core.real_path(path) end

---What is at a path; a link is not followed.
---@param path string
---@return alicloud.FileStat|nil about
---@return string? message
---@return string? code
function core.look(path) end

---The names in a directory, in no order.
---@param path string
---@param beginning? string only names that begin so
---@return string[]|nil names
---@return string? message
---@return string? code
function core.list_directory(path, beginning) end

---Who this process acts as.
---@return { uid: integer, gid: integer, groups: table<integer, boolean> } user `groups`: all of them
function core.user() end

---The group that is this user's alone, as many systems give each user one: it has his name, and no
---other member. Root has none.
---@return integer|nil gid
function core.private_group() end

---@param uid integer
---@return string|nil name nil if nobody here has that number
function core.user_name(uid) end

---fsync of a directory, which makes the names in it durable.
---@param path string
---@return boolean|nil ok
---@return string? message
---@return string? code
function core.sync_directory(path) end

---Makes a directory; one that is there already is fine.
---@param path string
---@param mode? integer (0700)
---@return boolean|nil ok
---@return string? message
---@return string? code
function core.make_directory(path, mode) end

---Writes a whole file, or leaves what is there as it is. No link is followed at the end of the path,
---and nothing but a regular file is replaced.
---@param path string
---@param bytes string
---@param whom "private"|"shared"|"new" mode 0600, or as the umask has it; "new" replaces nothing
---@return true|nil
---@return string? message
---@return string? code
function core.write_file(path, bytes, whom) end

---@return { pid: integer, host: string, processors: integer, directory: string? } about this process
---and its machine; no `directory` if the one that it is in was removed
function core.process() end

---@return integer pid of this process
function core.pid() end

---@param descriptor integer
---@return integer|nil columns of a terminal, 0 if it does not say; nil if it is none
function core.terminal(descriptor) end

---Whether there is such a process on this machine, whoever it belongs to. In a container only its
---own are seen.
---@param pid integer
---@return boolean
function core.is_process(pid) end

---@param text string 1 to 65536 bytes without control characters
---@return alicloud.Secret
function core.secret(text) end

---Reads the environment in C, so that the value never becomes a Lua string; sealed variables too.
---@param name string
---@return alicloud.Secret? secret nil if unset or empty
function core.secret_from_env(name) end

---What no id, key or token has in it: blanks, control characters, and what is not ASCII.
---@param word string|alicloud.Secret
---@return string? flaw such as "ends in a line end (\\n)"; quotes nothing else of it
function core.word_flaw(word) end

---The same of a variable of the environment, sealed ones too.
---@param name string
---@return string? flaw nil also if it is not set
function core.environment_flaw(name) end

---Reads a regular file of at most 1 MiB in C, so that its bytes never become a Lua string.
---@param path string
---@return alicloud.Secret? secret nil if it cannot be read
---@return integer|string mode permission bits, or what is wrong
function core.secret_from_file(path) end

---Reads a document whose keys must not become Lua strings, JSON as `decode` does. A document that
---is a Secret is closed by it. In an ini document a comment is a line of its own or stands behind a
---blank, quotes around a value are left off, names come as `access_key_id` however they are
---written, and what stands before the first section is left out; bytes stay as they are. A secret
---is never changed: one that is no Unicode text is refused. A message says where the document is
---wrong and quotes nothing of it.
---@param document string|alicloud.Secret
---@param format "json"|"ini" a JSON object, or sections of `name = value`
---@param names string[] members whose texts come as Secrets; nil where they are empty
---@return table? value
---@return string? message
function core.unseal(document, format, names) end

---Starts a program without a shell: no input, the host's standard error and environment (sealed
---variables too), none of its other open files (glibc 2.34 or newer), a process group of its own.
---@param argv string[] 1 to 64; the first is searched for in PATH
---@param max_bytes integer cap of its output, up to 1 MiB; a program that exceeds it is killed
---@param options? alicloud.SpawnOptions
---@return alicloud.Process? process
---@return string? message
function core.spawn(argv, max_bytes, options) end

--- Makes one.
---@param list string[] "2014-05-26 DescribeDisks"
---@return alicloud.Actions
function core.actions(list) end

--- Starts a program without a shell: /dev/null as standard files, the other end of its socket as
--- descriptor 3, none of the host's other open files (glibc 2.34 or newer; what `alicloud.confine`
--- closes, elsewhere), a process group of its own.
---@param options alicloud.ChildOptions
---@return alicloud.Child? child
---@return string? message
function core.child(options) end

---Strict JSON (RFC 8259): no trailing text, duplicate keys, numbers of over 63 characters, or depth
---over 32. Integers are exact to 64 bits; larger ones become decimal strings. Strings are always
---UTF-8: U+FFFD stands for other bytes, \u0000 and half a surrogate pair. A byte order mark before
---the text is passed over.
---@param text string
---@param options? alicloud.DecodeOptions
---@return any value nil on failure
---@return string? message
function core.decode(text, options) end

---JSON text with sorted names, always UTF-8: U+FFFD stands for other bytes. Raises on what JSON
---cannot carry, and on two names that become the same text.
---@param value any
---@return string
function core.encode(value) end

---Marks a table as an array, so that an empty one encodes as `[]`.
---@generic T
---@param list? T[]
---@return T[]
function core.array(list) end

---@param value any
---@return boolean
function core.is_array(value) end

---Whether JSON can hold a value, so that nothing foreign runs when it is read: no objects, up to 64
---tables deep, up to 1,000,000 values. Calls nothing.
---@param value any
---@return boolean
function core.is_json(value) end

---A copy of a value that JSON gives back as it is; nil where anything about it is odd: what is no
---text in UTF-8, null, holes, objects, more than 20 tables in each other or 10,000 in all, or a
---name that `secrets` does not know. Calls nothing of the value's.
---@param value any
---@param secrets table<string, boolean> whether what a name stands for is hidden; its `__index` is
---asked for the names that it has not
---@param hidden any what stands in its place
---@return any
function core.plain_copy(value, secrets, hidden) end

---@param name "SHA1"|"SHA256"|"SM3"
---@param text string
---@return string raw
function core.digest(name, text) end

---@param name "SHA1"|"SHA256"|"SM3"
---@param key string
---@param text string
---@return string raw
function core.hmac(name, key, text) end

---@param seed string|alicloud.Secret 64 hex digits, the private key of RFC 8032
---@return string public_key 64 hex digits
function core.ed25519_public(seed) end

---@param seed string|alicloud.Secret 64 hex digits
---@param text string
---@return string signature 128 hex digits
function core.ed25519_sign(seed, text) end

---@param public_key string 64 hex digits
---@param signature string 128 hex digits
---@param text string
---@return boolean
function core.ed25519_verify(public_key, signature, text) end

---@param text string
---@return string hex lower case
function core.sha256(text) end

---@param key string
---@param text string
---@return string hex lower case
function core.hmac_sha256(key, text) end

---@param bytes string
---@return string
function core.hex(bytes) end

---@param bytes integer 1 to 256, from the system's generator
---@return string hex of twice that length
function core.random_hex(bytes) end

---@param bytes string
---@return string
function core.base64(bytes) end

---RFC 4648 section 4, padded.
---@param text string
---@return string? bytes nil if it is anything else
function core.unbase64(text) end

---RFC 3986 section 2.3.
---@param text string
---@return string
function core.percent_encode(text) end

---@param text string
---@return string? bytes nil on a broken escape
function core.percent_decode(text) end

---Compares in a time that depends on the lengths only.
---@param a string
---@param b string
---@return boolean
function core.equal(a, b) end

---@return number seconds since 1970
function core.time() end

---@return number seconds of a clock that never jumps
function core.monotonic() end

---@return number seconds of such a clock, which goes on while the machine sleeps
function core.boottime() end

---Waits for one of some descriptors, or only waits. A signal ends it early. Raises where one of them
---is not open, or where they are more than this process may have open.
---@param fd integer|integer[]|nil up to 1048576
---@param events "r"|"w"|"rw"
---@param seconds number 0 to 86400
---@return boolean ready
function core.poll(fd, events, seconds) end

---@return alicloud.PollGroup
---@nodiscard
function core.poll_group() end

---Reads what a descriptor has; waits if it has nothing, so it is polled before.
---@param descriptor integer
---@param max integer bytes, 1 to 4096
---@return string? bytes none if a signal came first; nil at the end
---@return string? message
function core.take(descriptor, max) end

---@param text string IMF-fixdate (RFC 9110 section 5.6.7)
---@return integer? unix_seconds
function core.http_date(text) end

---@param unix_seconds number
---@return string text YYYY-MM-DDTHH:MM:SSZ
function core.iso8601(unix_seconds) end

---@param text string YYYY-MM-DDTHH:MM:SSZ
---@return integer? unix_seconds
function core.parse_iso8601(text) end

---The candidate that differs in the fewest letters, if it is near.
---@param word string
---@param candidates string[]
---@return string?
function core.suggest(word, candidates) end

---Takes variables out of the process's environment and wipes them there; `secret_from_env` and
---programs still get them. For a program that owns its process; nothing in the library calls it.
---@param names string[]
---@return integer count of those that were set
function core.seal_environment(names) end

---Lets this process leave no core, and nobody but root look into its memory (Linux). For a program
---that owns its process; nothing in the library calls it.
function core.forbid_dumps() end

---Makes writing to a closed pipe an error of the write instead of the end of the process. For a
---program that owns its process; nothing in the library calls it.
function core.ignore_sigpipe() end

---For commands that let another program have the terminal: remembers how the process treats SIGINT.
---@return fun(wanted: boolean) set true puts that back, false ignores the signal
function core.keep_interrupt() end

---For commands: SIGINT, SIGTERM and SIGHUP end what this process does, each unless it is ignored.
---The signal is noted until `clear_interrupt`. Meanwhile `checkpoint` raises the string
---"interrupted!", and so does, again and again, code that computes, unless it is the library's.
---Which code that is, the sources of chunks say. A signal that comes again ends the process at once.
---Takes the place of `coroutine.resume`, `coroutine.wrap` and `os.execute`, so that what they do can
---be ended too.
---@param root string how sources of the library's chunks begin
---@param open string[] how sources of those begin that may be interrupted all the same
function core.answer_signals(root, open) end

---The signal of `answer_signals` that has come.
---@return integer? number nil while none has come
function core.ended_by() end

---Raises "interrupted!" if a signal of `answer_signals` has come, unless that is shielded.
function core.checkpoint() end

---Goes on as if no signal had come.
function core.clear_interrupt() end

---While it is shielded, a signal is noted and nothing is raised.
---@param wanted boolean
---@return boolean before whether it was shielded
function core.shield_interrupt(wanted) end

---A function that does what `body` does, in another coroutine where the main thread calls it: the
---stand-alone interpreter raises Ctrl-C in the main thread only, so what `body` does is done whole.
---That coroutine serves the next call, too. Called elsewhere, the function is `body`.
---@generic F: function
---@param body F
---@return F
function core.aside(body) end

---As `coroutine.resume`; a signal of `answer_signals` that comes meanwhile ends what computes in the
---coroutine. Of one that plain `coroutine.resume` runs, nothing is known.
---@param thread thread
---@param ... any
---@return boolean ok
---@return any ... results, or what was raised
function core.resume(thread, ...) end

return core
