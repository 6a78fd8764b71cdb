/* Ed25519 as Lua sees it: keys and signatures are hexadecimal text. */
#ifndef AC_LUA_ED25519_H
#define AC_LUA_ED25519_H

#include "luax.h"

/* [-0, +0, m]  Registers the functions in the table on top of the stack. */
void acL_ed25519_open(lua_State *L);

#endif
