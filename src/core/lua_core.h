/* What the lua_*.c files give to core.c: functions of `alicloud.core`, and openers that are called
 * once per state. An opener that adds functions needs the module's table on top of the stack. */
#ifndef AC_LUA_CORE_H
#define AC_LUA_CORE_H

#include "luax.h"

/* [-0, +0, m]  Openers. */
void acL_actions_open(lua_State *L);
void acL_child_open(lua_State *L);
void acL_ed25519_open(lua_State *L);
void acL_environment_open(lua_State *L);
void acL_file_open(lua_State *L);
void acL_interrupt_open(lua_State *L);
void acL_owner_open(lua_State *L);
void acL_poll_group_open(lua_State *L);
void acL_process_open(lua_State *L);
void acL_read_open(lua_State *L);
void acL_resume_open(lua_State *L);
void acL_sealed_open(lua_State *L);
void acL_sign_open(lua_State *L);
void acL_sink_open(lua_State *L);
void acL_sys_open(lua_State *L);

/* [-0, +3, m]  Pushes nil, a message and a code ("ENOENT") for the errno of a file operation. */
int acL_push_file_failure(lua_State *L, const char *what, int error);

/* [-0, +(0|3), m]  In a confined process, pushes such a failure (EPERM); else false. */
bool acL_push_confined(lua_State *L, const char *path);

struct ac_file_stat;

/* [-0, +1, m]  { bytes, type, mode, links, uid, gid, own } */
void acL_push_file_stat(lua_State *L, const struct ac_file_stat *about);

/* [-1, +1, v]  sign(request) -> table. Raises on misuse. All that it needs is in the request. */
int acL_sign(lua_State *L);

/* [-1, +1, v]  signer(kind) -> function that signs requests of this kind */
int acL_signer(lua_State *L);

/* [-0, +0, v]  Writes the unix seconds at `index` as YYYY-MM-DDTHH:MM:SSZ; fractions are cut. */
void acL_date_text(lua_State *L, int index, char text[21]);

/* [-2, +2, v]  read(exchange, options?) -> result, info | nil, fields */
int acL_read(lua_State *L);

/* [-3, +2, v]  unseal(document, "json" | "ini", names) -> table | nil, message. A document that
 * is a Secret is closed by it. The texts of members in `names` are returned as Secrets and never
 * become Lua strings. In an ini file, a comment is a line of its own or follows a blank.
 */
int acL_unseal(lua_State *L);

/* [-0, +0, m]  The value of an environment variable, sealed or not; borrowed until the next Lua
 * call. {NULL, 0} if it is not set. */
struct ac_str acL_environment_value(lua_State *L, const char *name);

/* [-0, +1, v]  The environment for a program, ending in NULL: the variables of this process and the
 * sealed ones, without names that match a pattern of the array at `withheld` (0 for none). Valid as
 * long as the pushed value, and as long as the environment does not change. */
char *const *acL_push_environment(lua_State *L, int withheld);

#define ACL_TEXTS_MAX 64

/* [-0, +n, v]  Reads the array of strings at `index`, which stay on the stack; `texts` ends in
 * NULL. Raises for a string with a NUL, since they are for system calls. `what` is for messages. */
void acL_read_texts(lua_State *L, int index, const char *what, char *texts[ACL_TEXTS_MAX + 1]);

#endif
