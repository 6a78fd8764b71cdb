---@meta alicloud.core
-- Declares the functions of the C module for language servers. Never loaded. The types that they
-- take and return are in core_objects.d.lua.

---@class alicloud.core
---@field null userdata JSON null; `tostring` is "null"
---@field version { core: string, build: string, openssl: string, cjson: string, lua: string }
local core = {}

---Signs a request. Pure: clock, nonce and secret are arguments. Raises on misuse, and if a part of
---the request is larger than 4 MiB. White space and line ends around a value of a header field are
---neither signed nor sent, since a server strips them before it verifies. That goes for token, key
---id, nonce, host, action and version, too. Control characters inside are refused.
---Source: help.aliyun.com/document_detail/2593177.html (ACS3), 25490.htm (HMAC-SHA1).
---@param request alicloud.SignRequest
---@return alicloud.Signed
---@nodiscard
function core.sign(request) end

---Makes a signer for requests of a kind; the kind is read and checked once.
---@param kind alicloud.SignKind
---@return alicloud.Signer sign `date` is in unix seconds; `headers` are added to those of the kind
---@nodiscard
function core.signer(kind) end

---Classifies an exchange. A result needs a complete 2xx JSON object with a RequestId; "rejected"
---needs a 4xx (never 408 or 499) with a Code and a RequestId in complete JSON or XML. A RequestId
---is text that is not blank; an integer Code counts as its digits. All texts are UTF-8.
---@param exchange alicloud.Exchange|alicloud.Op a finished operation is read without a copy
---@param options? alicloud.ReadOptions|alicloud.SignedRequest what was signed
---@return table? result
---@return alicloud.ReadInfo|alicloud.ReadFields info
---@nodiscard
function core.read(exchange, options) end

---Opens a regular file; a symbolic link at the end of the path is refused.
---@param path string
---@param how "read"|"append"|"create" "append" makes a missing file, "create" demands a new one
---@param mode? integer of a new file, whatever the umask says (0600)
---@return alicloud.File|nil file
---@return string? message
---@return string? code "ENOENT", "EEXIST", …
function core.open_file(path, how, mode) end

---Opens a target for writing: a file, which is appended to and made if it is missing (mode 0600), a
---FIFO that has a reader, or a copy of a descriptor.
---@param where string|integer a path or a descriptor
---@return alicloud.Sink|nil sink
---@return string? message
---@return string? code "ENXIO" for a FIFO that nobody reads from
function core.open_sink(where) end

---The absolute path of an existing file, without symbolic links.
---@param path string
---@return string|nil path
---@return string? message
---@return string? code
function core.real_path(path) end

---What is at a path; a symbolic link is described itself.
---@param path string
---@return alicloud.FileStat|nil about
---@return string? message
---@return string? code
function core.look(path) end

---The names in a directory, unsorted.
---@param path string
---@param beginning? string only names that begin with it
---@return string[]|nil names
---@return string? message
---@return string? code
function core.list_directory(path, beginning) end

---The effective user of this process.
---@return { uid: integer, gid: integer, groups: table<integer, boolean> } user `groups`: all of them
function core.user() end

---The group that only this user has: it has the user's name and lists no other member. Many systems
---give each user one.
---@return integer|nil gid nil: there is none; root has none
function core.private_group() end

---@param uid integer
---@return string|nil name nil if this machine knows no such user
function core.user_name(uid) end

---fsync of a directory, which makes the names in it durable.
---@param path string
---@return boolean|nil ok
---@return string? message
---@return string? code
function core.sync_directory(path) end

---Makes a directory; one that exists is left as it is.
---@param path string
---@param mode? integer (0700)
---@return boolean|nil ok
---@return string? message
---@return string? code
function core.make_directory(path, mode) end

---Writes a whole file, or leaves the old one unchanged. A symbolic link at the end of the path is
---not followed, and only a regular file is replaced.
---@param path string
---@param bytes string
---@param whom "private"|"shared"|"new" 0600, or the umask decides; "new" replaces nothing
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

---Whether this machine has a process with that id, whoever owns it. In a container only its own
---processes are seen.
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

---Why a word can be no id, key or token: it has blanks, control characters or is not ASCII.
---@param word string|alicloud.Secret
---@return string? flaw such as "ends in a line end (\\n)"; quotes nothing else of the word
function core.word_flaw(word) end

---The same for the value of a variable of the environment, sealed ones too.
---@param name string
---@return string? flaw nil also if the variable is not set
function core.environment_flaw(name) end

---Reads a regular file of at most 1 MiB in C, so that its bytes never become a Lua string.
---@param path string
---@return alicloud.Secret? secret nil if it cannot be read
---@return integer|string mode permission bits; or why it cannot be read
function core.secret_from_file(path) end

---Reads a document with secrets that must not become Lua strings, JSON as `decode` does. A document
---that is a Secret is closed. In an ini document a comment is a line of its own or follows a blank.
---Quotes around a value are left off, and lines before the first section skipped. Names become
---`access_key_id` however they are written; bytes stay as they are. A secret is never changed: one
---that is not valid Unicode is refused. A message says where the document is wrong and quotes no
---part of it.
---@param document string|alicloud.Secret
---@param format "json"|"ini" a JSON object, or sections of `name = value`
---@param names string[] fields whose texts become Secrets; nil where they are empty
---@return table? value
---@return string? message
function core.unseal(document, format, names) end

---Starts a program without a shell: no input, the host's standard error and environment (sealed
---variables too), no other open file of the host (glibc 2.34 or newer), a process group of its own.
---@param argv string[] 1 to 64; the first is searched for in PATH
---@param max_bytes integer most bytes of output, up to 1 MiB; with more the program is killed
---@param options? alicloud.SpawnOptions
---@return alicloud.Process? process
---@return string? message
function core.spawn(argv, max_bytes, options) end

--- Makes a set of operations.
---@param list string[] "2014-05-26 DescribeDisks"
---@return alicloud.Actions
function core.actions(list) end

--- Starts a program without a shell: /dev/null as standard files, the other end of the socket as
--- descriptor 3, no other open file of the host (glibc 2.34 or newer; elsewhere `alicloud.confine`
--- closes them), a process group of its own.
---@param options alicloud.ChildOptions
---@return alicloud.Child? child
---@return string? message
function core.child(options) end

---Decodes strict JSON (RFC 8259): refuses trailing text, duplicate keys, numbers of more than 63
---characters, and depth over 32. Integers are exact to 64 bits; larger ones become decimal strings.
---Strings are always UTF-8: other bytes, \u0000 and half a surrogate pair become U+FFFD. A byte
---order mark before the text is skipped.
---@param text string
---@param options? alicloud.DecodeOptions
---@return any value nil on failure
---@return string? message
function core.decode(text, options) end

---Encodes JSON with sorted names, always UTF-8: other bytes become U+FFFD. Raises on a value that
---JSON cannot carry, and on two names that become the same text.
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

---Whether a value is plain JSON data, so that reading it runs no foreign code: no objects, at most
---64 levels of tables and 1,000,000 values. Calls nothing itself.
---@param value any
---@return boolean
function core.is_json(value) end

---A copy of a value that JSON returns unchanged; nil if anything in it is unusual: text that is not
---UTF-8 or has NUL, null, holes, objects, more than 20 levels of tables or 10,000 tables, or a name
---that `secrets` does not have. Calls nothing of the value's.
---@param value any
---@param secrets table<string, boolean> by name: whether its value is hidden; `__index` is asked
---for other names
---@param hidden any takes the place of a hidden value
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
---@return string? bytes nil if the text is anything else
function core.unbase64(text) end

---RFC 3986 section 2.3.
---@param text string
---@return string
function core.percent_encode(text) end

---@param text string
---@return string? bytes nil on a broken escape
function core.percent_decode(text) end

---Compares in a time that depends only on the lengths.
---@param a string
---@param b string
---@return boolean
function core.equal(a, b) end

---@return number seconds since 1970
function core.time() end

---@return number seconds of a clock that never jumps (CLOCK_MONOTONIC)
function core.monotonic() end

---@return number seconds of a clock that never jumps and runs while the machine sleeps
function core.boottime() end

---Waits until one of the descriptors is ready; without any only waits. A signal ends it early.
---Raises if one is not open, or if there are more than this process may have open.
---@param fd integer|integer[]|nil up to 1048576
---@param events "r"|"w"|"rw"
---@param seconds number 0 to 86400
---@return boolean ready
function core.poll(fd, events, seconds) end

---@return alicloud.PollGroup
---@nodiscard
function core.poll_group() end

---Reads from a descriptor. Blocks if there is nothing to read, so poll it first.
---@param descriptor integer
---@param max integer bytes, 1 to 4096
---@return string? bytes "" if a signal came first; nil at the end
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

---The candidate that differs in the fewest letters; nil if none is near.
---@param word string
---@param candidates string[]
---@return string?
function core.suggest(word, candidates) end

---Removes variables from the process's environment and wipes them there; `secret_from_env` and
---started programs still get them. For a program that owns its process; nothing in the library
---calls it.
---@param names string[]
---@return integer count number of variables that were set
function core.seal_environment(names) end

---This process leaves no core dump, and only root can inspect its memory (Linux). For a program
---that owns its process; nothing in the library calls it.
function core.forbid_dumps() end

---A write to a closed pipe then fails instead of ending the process (SIGPIPE is ignored). For a
---program that owns its process; nothing in the library calls it.
function core.ignore_sigpipe() end

---For commands that give the terminal to another program: remembers how SIGINT is handled now.
---@return fun(wanted: boolean) set true restores that handling, false ignores the signal
function core.keep_interrupt() end

---For commands: SIGINT, SIGTERM and SIGHUP, unless ignored, end what this process does. A signal
---stays noted until `clear_interrupt`. Meanwhile `checkpoint` raises the string "interrupted!".
---Code that computes has it raised again and again, except the library's, which is known by the
---sources of its chunks. The same signal again ends the process at once. Replaces
---`coroutine.resume`, `coroutine.wrap` and `os.execute`, so that what they run can be ended.
---@param root string begins the sources of the library's chunks
---@param open string[] begin sources of the library that may be interrupted all the same
function core.answer_signals(root, open) end

---The signal that `answer_signals` has noted.
---@return integer? number nil if none has come
function core.ended_by() end

---Raises "interrupted!" if `answer_signals` has noted a signal and it is not shielded.
function core.checkpoint() end

---Forgets the noted signal.
function core.clear_interrupt() end

---While shielded, a signal is noted but not raised.
---@param wanted boolean
---@return boolean before whether it was shielded before
function core.shield_interrupt(wanted) end

---Returns a function that does what `body` does. Called in the main thread it runs `body` in
---another coroutine: the stand-alone interpreter raises Ctrl-C only in the main thread, so `body`
---is not interrupted. The coroutine is reused. Called in any other thread the function is `body`.
---@generic F: function
---@param body F
---@return F
function core.aside(body) end

---Like `coroutine.resume`, but a signal of `answer_signals` can end code that computes in the
---coroutine. With plain `coroutine.resume` it cannot.
---@param thread thread
---@param ... any
---@return boolean ok
---@return any ... results, or what was raised
function core.resume(thread, ...) end

return core
