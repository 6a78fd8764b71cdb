/* Documents with keys in them, read so that the keys never become Lua strings. */
#ifndef AC_LUA_SEALED_H
#define AC_LUA_SEALED_H

#include "lua_secret.h"

/* [-0, +0, m]  Registers what unseal() holds while it works. */
void acL_sealed_open(lua_State *L);

/* [-3, +2, v]  unseal(document, "json" | "ini", names) -> table | nil, message. A document that
 * is a Secret is closed by it. Texts of members with one of the names come as Secrets. */
int acL_unseal(lua_State *L);

#endif
