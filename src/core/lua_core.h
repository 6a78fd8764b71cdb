/* What the Lua files of core give to core.c: openers, called once per state, and functions of
 * `alicloud.core`. The opener of a file that adds functions of its own needs their table on top. */
#ifndef AC_LUA_CORE_H
#define AC_LUA_CORE_H

#include "luax.h"

/* [-0, +0, m]  Each. */
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

/* [-0, +3, m]  nil, message, code: what a file has met, for people and for programs. */
int acL_push_file_failure(lua_State *L, const char *what, int error);

/* [-0, +(0|3), m]  The same in a confined process, before the kernel is asked; false in others. */
bool acL_push_confined(lua_State *L, const char *path);

struct ac_file_stat;

/* [-0, +1, m]  { bytes, type, mode, links, uid, gid, own } */
void acL_push_file_stat(lua_State *L, const struct ac_file_stat *about);

/* [-1, +1, v]  sign(request) -> table. Raises on misuse: everything it needs is given. */
int acL_sign(lua_State *L);

/* [-1, +1, v]  signer(kind) -> function that signs requests of this kind */
int acL_signer(lua_State *L);

/* [-0, +0, v]  Writes the unix seconds at `index` as YYYY-MM-DDTHH:MM:SSZ; fractions are cut. */
void acL_date_text(lua_State *L, int index, char text[21]);

/* [-2, +2, v]  read(exchange, options?) -> result, info | nil, fields */
int acL_read(lua_State *L);

/* [-3, +2, v]  unseal(document, "json" | "ini", names) -> table | nil, message. A document that
 * is a Secret is closed by it. Texts of members with one of the names come as Secrets, and never
 * are Lua strings. A comment of an ini file is a line of its own, and its bytes stay as they are.
 */
int acL_unseal(lua_State *L);

/* [-0, +0, m]  The value of a variable of this process, sealed or not; borrowed until the next Lua
 * call. {NULL, 0} if it is not set. */
struct ac_str acL_environment_value(lua_State *L, const char *name);

/* [-0, +1, v]  The entries for a program, NULL behind them: those of this process and the sealed
 * ones, without those whose names match a pattern of the array at `withheld`; 0 for none. They live
 * as long as the value that is pushed, and as the environment. */
char *const *acL_push_environment(lua_State *L, int withheld);

#define ACL_TEXTS_MAX 64

/* [-0, +n, v]  The texts of the array at `index`, which stay on the stack, and NULL behind them;
 * `what` names one of them in messages. For what is handed to the system. */
void acL_read_texts(lua_State *L, int index, const char *what, char *texts[ACL_TEXTS_MAX + 1]);

#endif
