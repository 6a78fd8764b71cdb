/* Helpers for the files that include lua.h: option tables, classes, boxed buffers.
 *
 * Rule of the house: no C resource is held unboxed over a Lua call that can raise. Argument
 * reading may raise (nothing is held), the C work cannot, pushing results may (all is boxed).
 */
#ifndef AC_LUAX_H
#define AC_LUAX_H

#include "buf.h"

#include <lauxlib.h>
#include <lua.h>

/* [-?, +2, v]  The first of every luaopen_…: leaves its arguments, name and path, and raises where
 * the Lua files that are loaded were installed with C modules of another build. */
void acL_check_build(lua_State *L);

/* [-0, +1, v]  Copies names and values of the table at `index` into an array of its own, name
 * first, and returns how many pairs it holds. Allocating may run finalizers that change the
 * caller's table; nobody else knows this one. */
size_t acL_snapshot(lua_State *L, int index);

/* [-0, +0, m]  Registers what acL_push_box() needs. `close` gets the box as its first argument
 * and must bear being called twice. */
void acL_box_class(lua_State *L, const char *name, lua_CFunction close);

/* [-0, +1, m]  Zeroed memory that is closed when the value's scope ends, also by an error. */
void *acL_push_box(lua_State *L, size_t size, const char *name);

/* What the value of an option becomes in a struct. */
enum acL_type {
    ACL_TEXT,    /* struct ac_str, borrowed */
    ACL_BOOLEAN, /* bool */
    ACL_SECONDS, /* long, milliseconds, rounded up; at most a day */
    ACL_BYTES,   /* size_t, 1 to 1073741824 */
    ACL_INTEGER, /* lua_Integer */
    ACL_VALUE    /* int, the index of a value on the stack that its owner reads; 0 without one */
};

/* A table of options is an array of these that ends in a NULL name. */
struct acL_option {
    const char *name;
    enum acL_type type;
    size_t offset; /* of the field in the struct that is filled */
};

/* [-0, +n, v]  Reads the table at `index` without metamethods into the struct at `to`, where absent
 * options leave what is there. Texts and ACL_VALUEs stay on the stack, so that they live whatever
 * happens to the table; nothing allocates in Lua. Raises on a key that is no option, with the
 * nearest known one, and on a wrong type; messages begin with `what`. */
void acL_read_options(lua_State *L, int index, const char *what, const struct acL_option *options,
                      void *to);

/* Levenshtein distance, case ignored; SIZE_MAX where a word is longer than any name of ours. */
size_t acL_distance(const char *a, const char *b);

/* From this distance on, nothing is worth suggesting for the word. */
size_t acL_too_far(const char *word);

/* [-0, +1, v]  Pushes t[name] and reads it; the value stays on the stack so that borrowed bytes
 * live. {NULL, 0} if nil. Raises `what: field name: …` on a wrong type. */
struct ac_str acL_string_field(lua_State *L, int index, const char *what, const char *name);

/* [-0, +0, m]  Registers what acL_push_flag() needs. */
void acL_flag_class(lua_State *L);

/* [-0, +1, m]  Sets *flag until the value's scope ends, then gives it back what it was, also by an
 * error. What holds the flag must stay on the stack below. */
void acL_push_flag(lua_State *L, bool *flag);

/* [-0, +0, m]  Sets a field of the table on top. */
void acL_set_integer(lua_State *L, const char *name, uint64_t value);

/* [-0, +0, m]  Registers a class: methods (or NULL), metamethods, and a locked metatable. */
void acL_class(lua_State *L, const char *name, const luaL_Reg *methods,
               const luaL_Reg *metamethods);

/* [-0, +0, m]  Registers what acL_push_buf() needs. */
void acL_buf_class(lua_State *L);

/* [-0, +1, m]  A buffer in a box. */
struct ac_buf *acL_push_buf(lua_State *L, size_t max);

/* [-0, +0, v]  The string at `index`, or the number there made into one: that allocates, and with
 * it a finalizer may run. */
struct ac_str acL_check_bytes(lua_State *L, int index);

/* [-0, +0, v]  The same of a path, which holds no NUL. One that is empty names no file: the
 * system says so. */
const char *acL_check_path(lua_State *L, int index);

/* [-0, +2, m]  nil, message; for `return`. */
int acL_fail(lua_State *L, const char *message);

/* [-0, +1, m]  Pushes the bytes of a buffer. */
void acL_push_bytes(lua_State *L, struct ac_str s);

/* [-0, +0, v]  Raises for a status other than AC_OK. */
void acL_check(lua_State *L, enum ac_status status, const char *what);

#endif
