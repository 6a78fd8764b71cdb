/* Helpers for the files that include lua.h: option tables, classes, boxed buffers.
 *
 * Rule: a C resource is always owned by a userdata (a box) while a Lua call that can raise runs.
 * So: read the arguments first (no resource yet), do the C work (never raises), push the results
 * (all resources are boxed).
 */
#ifndef AC_LUAX_H
#define AC_LUAX_H

#include "buf.h"

#include <lauxlib.h>
#include <lua.h>

/* [-?, +2, v]  Called first by every luaopen_…: leaves its two arguments (name and path) on the
 * stack. Raises if the loaded Lua files were installed with C modules of another build. */
void acL_check_build(lua_State *L);

/* [-0, +1, v]  Copies the table at `index` into a new array of name, value, name, value, … and
 * returns the number of pairs. Allocation may run finalizers that change the caller's table; no
 * other code can reach the copy. */
size_t acL_snapshot(lua_State *L, int index);

/* [-0, +0, m]  Registers a class for acL_push_box(). `close` gets the box as its first argument
 * and may be called twice. */
void acL_box_class(lua_State *L, const char *name, lua_CFunction close);

/* [-0, +1, m]  Pushes zeroed memory that is closed at the end of its scope, also after an error. */
void *acL_push_box(lua_State *L, size_t size, const char *name);

/* The C type that the value of an option is stored as. */
enum acL_type {
    ACL_TEXT,    /* struct ac_str, borrowed */
    ACL_BOOLEAN, /* bool */
    ACL_SECONDS, /* long, milliseconds, rounded up; at most a day */
    ACL_BYTES,   /* size_t, 1 to 1073741824 */
    ACL_INTEGER, /* lua_Integer */
    ACL_VALUE    /* int, stack index of a value that the caller reads itself; 0 if absent */
};

/* A list of options is an array of these whose last `name` is NULL. */
struct acL_option {
    const char *name;
    enum acL_type type;
    size_t offset; /* of the field in the struct that acL_read_options() fills in */
};

/* [-0, +n, v]  Reads the table at `index`, without metamethods, into the struct at `to`. Absent
 * options leave their fields unchanged. Texts and ACL_VALUEs stay on the stack, so they stay alive
 * even if the table changes; nothing allocates in Lua. Raises for an unknown key, naming the most
 * similar option, and for a wrong type. Messages begin with `what`. */
void acL_read_options(lua_State *L, int index, const char *what, const struct acL_option *options,
                      void *to);

/* Levenshtein distance, ignoring case; SIZE_MAX if a word is longer than any option name. */
size_t acL_distance(const char *a, const char *b);

/* The edit distance from which on a name is no longer worth suggesting for `word`. */
size_t acL_too_far(const char *word);

/* [-0, +1, v]  Pushes t[name] and reads it as a string; the value stays on the stack, because its
 * bytes are borrowed. {NULL, 0} if nil. Raises `what: option 'name': …` for a wrong type. */
struct ac_str acL_string_field(lua_State *L, int index, const char *what, const char *name);

/* [-0, +0, m]  Registers the class for acL_push_flag(). */
void acL_flag_class(lua_State *L);

/* [-0, +1, m]  Sets *flag to true, and restores its old value at the end of the scope, also after
 * an error. The userdata that contains the flag must stay below it on the stack. */
void acL_push_flag(lua_State *L, bool *flag);

/* [-0, +0, m]  Sets a field of the table on top of the stack. */
void acL_set_integer(lua_State *L, const char *name, uint64_t value);

/* [-0, +0, m]  Registers a class: methods (or NULL), metamethods, and a locked metatable. */
void acL_class(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);

/* [-0, +0, m]  Registers the class for acL_push_buf(). */
void acL_buf_class(lua_State *L);

/* [-0, +1, m]  Pushes a box that holds an empty buffer. */
struct ac_buf *acL_push_buf(lua_State *L, size_t max);

/* [-0, +0, v]  The string at `index`. A number is converted in place, which allocates, so a
 * finalizer may run. */
struct ac_str acL_check_bytes(lua_State *L, int index);

/* [-0, +0, v]  The same for a path, which must not contain NUL. An empty path is not refused here;
 * the system call that gets it fails. */
const char *acL_check_path(lua_State *L, int index);

/* [-0, +2, m]  Pushes nil and a message, for `return`. */
int acL_fail(lua_State *L, const char *message);

/* [-0, +1, m]  Pushes the bytes as a Lua string. */
void acL_push_bytes(lua_State *L, struct ac_str s);

/* [-0, +0, v]  Raises an error for a status other than AC_OK. */
void acL_check(lua_State *L, enum ac_status status, const char *what);

#endif
