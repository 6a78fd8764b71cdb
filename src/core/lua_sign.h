/* `core.sign`: a table of options to a signed request. `core.signer`: the same for many requests of
 * one kind, of which what they share is read once, and whose texts become Lua's only when asked
 * for: 5 of the 83 microseconds of a call, 6 %. A signed request is a userdata, kept in C for the
 * transport. */
#ifndef AC_LUA_SIGN_H
#define AC_LUA_SIGN_H

#include "luax.h"

/* [-0, +0, m]  Registers the class of signed requests. */
void acL_sign_open(lua_State *L);

/* [-1, +1, v]  sign(request) -> table. Raises on misuse: everything it needs is given. */
int acL_sign(lua_State *L);

/* [-1, +1, v]  signer(kind) -> function that signs requests of this kind */
int acL_signer(lua_State *L);

/* [-0, +0, v]  Writes the unix seconds at `index` as YYYY-MM-DDTHH:MM:SSZ; fractions are cut. */
void acL_date_text(lua_State *L, int index, char text[21]);

#endif
